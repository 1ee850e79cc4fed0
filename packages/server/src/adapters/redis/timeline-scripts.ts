/**
 * The Lua of the timeline store. One call touches one key, a push or a read several; each is one shelf: `hvt:{i:<reader>}` or `hvt:{o:<author>}`.
 *
 * A shelf is a sorted set whose scores are all 0, so that its members are in the order of their bytes (a score is a double,
 * and holds no 63 bits):
 *   entry   24 bytes: key, author, video, each big-endian
 *   header  one member of 54 bytes, the last of all, because it begins with 0xff:
 *           0xff, state ('0' building, '1' ready), capacity (4 digits), floor (8 bytes), run (24 hexadecimal digits), token (16)
 * Header and entries are one key: they expire, are evicted and get lost together. `run` is the id of the server that the
 * shelf was begun on. A server that was started again or took over has another one, and may have lost writes: the shelf
 * is cold. Only reads, merges and begins look; what is pushed into a cold shelf harms nobody.
 * Entries below the floor may lie there until the shelf has outgrown its capacity; no read sees them.
 */
const common = `
local key = KEYS[1]
local function header()
  local last = redis.call('ZRANGE', key, -1, -1)[1]
  if last and string.byte(last) == 255 then return last end
end
local function put_header(old, new)
  if old == new then return end
  -- In this order: a key without members would be gone, and its expiry with it.
  redis.call('ZADD', key, 0, new)
  redis.call('ZREM', key, old)
end
local function add(from)
  if from == #ARGV then
    redis.call('ZADD', key, 0, ARGV[from])
    return
  end
  for start = from, #ARGV, 500 do
    local pairs = {}
    for at = start, math.min(start + 499, #ARGV) do
      pairs[#pairs + 1] = 0
      pairs[#pairs + 1] = ARGV[at]
    end
    redis.call('ZADD', key, unpack(pairs))
  end
end
local function trim(head)
  local capacity = tonumber(string.sub(head, 3, 6))
  local largest = math.floor(capacity * 1.25)
  if redis.call('ZCARD', key) - 1 <= largest then return end
  redis.call('ZREMRANGEBYLEX', key, '-', '(' .. string.sub(head, 7, 14))
  local count = redis.call('ZCARD', key) - 1
  if count <= largest then return end
  redis.call('ZREMRANGEBYRANK', key, 0, count - capacity - 1)
  local oldest = redis.call('ZRANGE', key, 0, 0)[1]
  put_header(head, string.sub(head, 1, 6) .. string.sub(oldest, 1, 8) .. string.sub(head, 15))
end
`;

const run = `
local run = string.sub(string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or '', 1, 24)
`;

/**
 * KEYS  1 shelf
 * ARGV  1 capacity (4 digits), 2 token (16 characters), 3 how long it is kept (ms)
 */
export const beginScript = `${run}
redis.call('DEL', KEYS[1])
redis.call('ZADD', KEYS[1], 0, '\\2550' .. ARGV[1] .. string.rep('\\0', 8) .. run .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`;

/**
 * KEYS  1... shelves, in a cluster all in one slot
 * ARGV  of each shelf its entries, one after another in one string
 * Returns 1
 */
export const pushScript = `${common}
for at = 1, #KEYS do
  key = KEYS[at]
  local head = header()
  if head then
    local entries = ARGV[at]
    if #entries == 24 then
      redis.call('ZADD', key, 0, entries)
    else
      for start = 1, #entries, 12000 do
        local pairs = {}
        for from = start, math.min(start + 11999, #entries), 24 do
          pairs[#pairs + 1] = 0
          pairs[#pairs + 1] = string.sub(entries, from, from + 23)
        end
        redis.call('ZADD', key, unpack(pairs))
      end
    end
    trim(head)
  end
end
return 1
`;

/**
 * KEYS  1 shelf
 * ARGV  1 token or '', 2 state that it gets ('1') or '' for none, 3 floor (8 bytes), 4... entries
 * Returns 1, or 0 when the shelf is cold or has another token
 */
export const mergeScript = `${common}${run}
local head = header()
if not head or string.sub(head, 15, 38) ~= run then return 0 end
if ARGV[1] ~= '' and string.sub(head, 39) ~= ARGV[1] then return 0 end
local function is_below(a, b)
  -- By bytes: comparing strings in Lua goes by the locale.
  for at = 1, 8 do
    local x, y = string.byte(a, at), string.byte(b, at)
    if x ~= y then return x < y end
  end
  return false
end
local floor = string.sub(head, 7, 14)
if is_below(floor, ARGV[3]) then floor = ARGV[3] end
local state = ARGV[2] ~= '' and ARGV[2] or string.sub(head, 2, 2)
local new = string.sub(head, 1, 1) .. state .. string.sub(head, 3, 6) .. floor .. string.sub(head, 15)
put_header(head, new)
if #ARGV > 3 then add(4) end
trim(new)
return 1
`;

/**
 * KEYS  1... shelves, in a cluster all in one slot
 * ARGV  1 how long they are kept after a read (ms), then of each shelf: key that it is read below (8 bytes) or '', how many at most
 * Returns of each shelf '' when it is cold, else state and floor (8 bytes), and of a ready one the entries, newest first, in one string
 */
export const readScript = `${common}${run}
local kept_ms = tonumber(ARGV[1])
local replies = {}
for at = 1, #KEYS do
  key = KEYS[at]
  local head = header()
  if not head or string.sub(head, 15, 38) ~= run then
    replies[at] = ''
  else
    if redis.call('PTTL', key) < kept_ms then redis.call('PEXPIRE', key, math.floor(kept_ms * 1.0625)) end
    local floor = string.sub(head, 7, 14)
    if string.sub(head, 2, 2) == '0' then
      replies[at] = '0' .. floor
    else
      local below = ARGV[2 * at] == '' and '\\255' or ARGV[2 * at]
      local entries = redis.call('ZREVRANGEBYLEX', key, '(' .. below, '[' .. floor, 'LIMIT', 0, ARGV[2 * at + 1])
      replies[at] = '1' .. floor .. table.concat(entries)
    end
  end
end
return replies
`;

/**
 * KEYS  1 shelf
 * ARGV  1... keys of entries (8 bytes)
 */
export const removeScript = `
for at = 1, #ARGV do
  redis.call('ZREMRANGEBYLEX', KEYS[1], '[' .. ARGV[at], '[' .. ARGV[at] .. string.rep('\\255', 16))
end
return 1
`;

/** KEYS  1 shelf */
export const dropScript = `
return redis.call('UNLINK', KEYS[1])
`;

/** KEYS  1 any. Returns the run id of its server. */
export const runScript = `
return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''
`;
