/**
 * The Lua of the cache store. One call touches the keys of one partition only, `hvc:{N}:...`, which is one slot of a
 * Redis Cluster.
 *
 *   hvc:{N}:g          generation of the partition: `run id : random : made at (server ms)`. Each call compares the
 *                      run id with the server's own, so that a server that was restarted or replaced by its replica
 *                      is noticed by the very first call that reaches it, whoever sends it (INFO in a script costs
 *                      4 microseconds). Removing the key makes everything in the partition cold.
 *   hvc:{N}:m:<row>    mark of a row: `invalidated at (server ms, 0 if it was not) : random`. An entry is valid while
 *                      the marks that it was filled under are the present ones; a mark that is missing (expired,
 *                      evicted) fits no entry.
 *   hvc:{N}:e:<key>    entry: g generation, m mark of its owner, u fresh until (server ms), i token that filled it,
 *                      n "1" for null, r the rows it contains with their marks (opaque here), v value
 *   hvc:{N}:l:<key>    lease: t token, g generation, m mark of the owner, s granted at (server ms), w "1" if awaited
 *   hvc:{N}:k:<key>    value kept aside (plain SET and GET)
 */
const common = `
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function generation_of(key, random, now)
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or 'unknown'
  local present = redis.call('GET', key)
  if present and string.sub(present, 1, #run) == run then return present end
  local made = run .. ':' .. random .. ':' .. string.format('%d', now)
  redis.call('SET', key, made)
  return made
end
local function live_at_least(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
end
`;

/**
 * KEYS  1 generation, 2 mark of the owner, 3 entry, 4 lease
 * ARGV  1 leaseMs (0: grant none), 2 a new token, 3 how long a mark must live for a load,
 *       4 token of an entry that is known to be outdated, or ''
 * Returns {'hit', value, isNull, freshForMs, rows, filledBy}
 *      or {'busy' | 'miss', staleValue | false, isNull}
 *      or {'lease', staleValue | false, isNull, token}; the token ends with when and by which server it was granted
 */
export const readScript = `${common}
local now = now_ms()
local generation = generation_of(KEYS[1], ARGV[2], now)
local mark = redis.call('GET', KEYS[2])
local entry = redis.call('HMGET', KEYS[3], 'g', 'm', 'u', 'i', 'n', 'r', 'v')
if mark and entry[1] == generation and entry[2] == mark and entry[4] ~= ARGV[4] then
  local left = tonumber(entry[3]) - now
  if left > 0 then return {'hit', entry[7], entry[5], left, entry[6], entry[4]} end
end
local lease_ms = tonumber(ARGV[1])
if lease_ms == 0 then return {'miss', entry[7], entry[5]} end
local lease = redis.call('HMGET', KEYS[4], 't', 'g', 'm')
if lease[1] and mark and lease[2] == generation and lease[3] == mark then
  redis.call('HSET', KEYS[4], 'w', '1')
  return {'busy', entry[7], entry[5]}
end
if mark then
  live_at_least(KEYS[2], tonumber(ARGV[3]))
else
  mark = '0:' .. ARGV[2]
  redis.call('SET', KEYS[2], mark, 'PX', ARGV[3])
end
local token = ARGV[2] .. '.' .. string.format('%d', now) .. '.' .. string.match(generation, '^%w+')
redis.call('DEL', KEYS[4])
redis.call('HSET', KEYS[4], 't', token, 'g', generation, 'm', mark, 's', string.format('%d', now))
redis.call('PEXPIRE', KEYS[4], lease_ms)
return {'lease', entry[7], entry[5], token}
`;

/**
 * KEYS  1 generation, 2 mark of the owner, 3 lease
 * ARGV  1 token, 2 leaseMs, 3 longest life of a lease
 * Returns 1 when prolonged, 0 when it is not alive
 */
export const renewScript = `${common}
local now = now_ms()
local generation = generation_of(KEYS[1], ARGV[1], now)
local lease = redis.call('HMGET', KEYS[3], 't', 'g', 'm', 's')
if lease[1] ~= ARGV[1] or lease[2] ~= generation or lease[3] ~= redis.call('GET', KEYS[2]) then return 0 end
local left = tonumber(lease[4]) + tonumber(ARGV[3]) - now
if left <= 0 then return 0 end
redis.call('PEXPIRE', KEYS[3], math.min(tonumber(ARGV[2]), left))
return 1
`;

/**
 * KEYS  1 generation, 2 mark of the owner, 3 entry, 4 lease
 * ARGV  1 token, 2 freshForMs from the grant, 3 keptForMs, 4 isNull, 5 rows, 6 value
 * Returns {filled, awaited}, each 1 or 0
 */
export const fillScript = `${common}
local now = now_ms()
local generation = generation_of(KEYS[1], ARGV[1], now)
local mark = redis.call('GET', KEYS[2])
local lease = redis.call('HMGET', KEYS[4], 't', 'g', 'm', 'w', 's')
if lease[1] ~= ARGV[1] then return {0, 0} end
local awaited = lease[4] and 1 or 0
redis.call('DEL', KEYS[4])
if not mark or lease[2] ~= generation or lease[3] ~= mark then return {0, awaited} end
local fresh_for = tonumber(ARGV[2])
redis.call('HSET', KEYS[3], 'g', generation, 'm', mark, 'u', string.format('%d', tonumber(lease[5]) + fresh_for),
  'i', ARGV[1], 'n', ARGV[4], 'r', ARGV[5], 'v', ARGV[6])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
live_at_least(KEYS[2], fresh_for + 1000)
return {1, awaited}
`;

/**
 * KEYS  1 lease
 * ARGV  1 token
 * Returns 1 when it was alive and awaited, else 0
 */
export const releaseScript = `
local lease = redis.call('HMGET', KEYS[1], 't', 'w')
if lease[1] ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return lease[2] and 1 or 0
`;

/**
 * Marks rows as changed. A store that has no memory left forgets the mark instead, which fits no entry either.
 *
 * KEYS  1 generation, 2... marks
 * ARGV  1 random, 2 how long a mark must live, so that loads that began earlier see it
 * Returns the number of rows
 */
export const invalidateScript = `${common}
local now = now_ms()
local made = string.format('%d', now) .. ':' .. ARGV[1]
for index = 2, #KEYS do
  local reply = redis.pcall('SET', KEYS[index], made, 'PX', ARGV[2])
  if type(reply) == 'table' and reply.err then redis.call('DEL', KEYS[index]) end
end
generation_of(KEYS[1], ARGV[1], now)
return #KEYS - 1
`;

/**
 * Notes the marks of the rows that a loaded value contains, unless one of them changed during the load.
 *
 * KEYS  1 generation, 2... marks
 * ARGV  1 random, 2 token of the lease, 3 windowMs: the load began at most this long ago, 4 how long the marks must live
 * A server that granted the lease itself knows exactly when the load began; another one goes by the window, because
 * clocks differ, and may refuse what changed shortly before.
 * Returns '1' if it knew exactly, else '0', then the stamps (generation and mark) in order; {} when the value may be old
 */
export const pinScript = `${common}
local now = now_ms()
local generation = generation_of(KEYS[1], ARGV[1], now)
local granted_at, granted_by = string.match(ARGV[2], '%.(%d+)%.(%w+)$')
local began = now - tonumber(ARGV[3])
local is_exact = granted_by == string.match(generation, '^%w+')
if is_exact then began = tonumber(granted_at) end
local made_at = tonumber(string.match(generation, ':(%d+)$'))
if made_at >= began then return {} end
local stamps = {is_exact and '1' or '0'}
for index = 2, #KEYS do
  local mark = redis.call('GET', KEYS[index])
  if mark then
    local changed_at = tonumber(string.match(mark, '^(%d+):'))
    if changed_at >= began then return {} end
    live_at_least(KEYS[index], tonumber(ARGV[4]))
  else
    mark = '0:' .. ARGV[1]
    redis.call('SET', KEYS[index], mark, 'PX', ARGV[4])
  end
  stamps[index] = generation .. '/' .. mark
end
return stamps
`;

/**
 * KEYS  1 generation, 2... marks
 * ARGV  1 random
 * Returns the present stamps in order, '' where there is none
 */
export const stampsScript = `${common}
local generation = generation_of(KEYS[1], ARGV[1], now_ms())
local stamps = {}
for index = 2, #KEYS do
  local mark = redis.call('GET', KEYS[index])
  stamps[index - 1] = mark and (generation .. '/' .. mark) or ''
end
return stamps
`;
