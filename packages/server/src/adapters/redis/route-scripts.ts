/**
 * The Lua of the route table. One call touches the keys of one partition only, `hvr:{N}...`, which is one slot of a Redis
 * Cluster; the partition of an account is a hash of its id.
 *
 *   hvr:{N}                    hash: node number -> `generation name`, of each node that has something in the partition
 *   hvr:{N}:NODE:GENERATION    set: the accounts that this node holds sockets of, and the run id of the server that made the set,
 *                              behind a `#`; expires unless it is renewed
 *
 * A set is made once in the life of its node. So when it is missing, or was made by a server of another run id (which may have come
 * back with an old file), the table has lost entries, and whoever renews is told.
 */
const common = `
local function run_id() return '#' .. (string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or 'unknown') end
local function add_all(first)
  for from = first, #ARGV, 1000 do redis.call('SADD', KEYS[2], unpack(ARGV, from, math.min(from + 999, #ARGV))) end
end
`;

/**
 * KEYS  1 nodes of the partition, 2 the node's own set
 * ARGV  1 node number, 2 generation, 3 name, 4 ttlMs, 5 '1' when the set is to be begun, 6... accounts
 * Returns 1; 0 when there should be a set and it is not there (nothing was added); -1 when a later generation has the number
 */
export const addScript = `${common}
local present = redis.call('HGET', KEYS[1], ARGV[1])
local generation = present and string.match(present, '^%d+')
if generation and tonumber(generation) > tonumber(ARGV[2]) then return -1 end
if ARGV[5] == '1' then
  if generation and generation ~= ARGV[2] then redis.call('UNLINK', KEYS[1] .. ':' .. ARGV[1] .. ':' .. generation) end
  redis.call('UNLINK', KEYS[2])
  redis.call('SADD', KEYS[2], run_id())
elseif generation ~= ARGV[2] or redis.call('EXISTS', KEYS[2]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])
add_all(6)
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
`;

/**
 * KEYS  1 the node's own set
 * ARGV  accounts
 * Returns how many were in it
 */
export const removeScript = `
local removed = 0
for from = 1, #ARGV, 1000 do
  removed = removed + redis.call('SREM', KEYS[1], unpack(ARGV, from, math.min(from + 999, #ARGV)))
end
return removed
`;

/**
 * KEYS  1 nodes of the partition, 2 the node's own set
 * ARGV  1 node number, 2 generation, 3 name, 4 ttlMs
 * Returns 1 when all is there; 0 when it is to be begun anew
 */
export const renewScript = `${common}
local present = redis.call('HGET', KEYS[1], ARGV[1])
if present ~= ARGV[2] .. ' ' .. ARGV[3] then return 0 end
if redis.call('SISMEMBER', KEYS[2], run_id()) == 0 then return 0 end
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
`;

/**
 * KEYS  1 nodes of the partition; the sets of the nodes that it names are read too
 * ARGV  1 name of who asks, 2... accounts
 * Returns for each node that holds any of them its name and a text with 1 or 0 for each account
 */
export const findScript = `
local found = {}
local nodes = redis.call('HGETALL', KEYS[1])
for at = 1, #nodes, 2 do
  local generation, name = string.match(nodes[at + 1], '^(%d+) (%S+)')
  local key = KEYS[1] .. ':' .. nodes[at] .. ':' .. generation
  if redis.call('EXISTS', key) == 0 then
    redis.call('HDEL', KEYS[1], nodes[at])
  elseif name ~= ARGV[1] then
    local bits = {}
    for from = 2, #ARGV, 1000 do
      local part = redis.call('SMISMEMBER', key, unpack(ARGV, from, math.min(from + 999, #ARGV)))
      bits[#bits + 1] = table.concat(part)
    end
    local text = table.concat(bits)
    if string.find(text, '1', 1, true) then
      found[#found + 1] = name
      found[#found + 1] = text
    end
  end
end
return found
`;
