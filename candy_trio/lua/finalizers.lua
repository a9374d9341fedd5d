-- __gc for trusted scripts. The collector calls finalizers where no hook fires: a loop in one would
-- hold the server for ever. So what it calls is ours and only notes the object; the finalizer runs
-- soon afterwards in a script's run, where it can be interrupted and ended.
--
-- Rules of this file:
-- * Nothing of a script runs after its end: what belongs to a run that failed, or that a limit ended,
--   is not finalized, for another run would pay for it. What a run left behind that ended by itself
--   is; what belongs to one that still goes on is left to that one.
-- * A metatable's __gc is ours from its first setmetatable on, and the script's is kept beside it.
-- * The list of noted objects changes by table.insert and table.remove alone: they are C functions,
--   so that nobody sees a change half done.

local K = ...

local getmetatable = debug.getmetatable
local insert, remove = table.insert, table.remove
local rawget, rawset, setmetatable, type = rawget, rawset, setmetatable, type
local pcall, S = K.pcall, K.S

-- What one isolate's scripts get: setmetatable, what finalizes the objects that have been noted, and
-- what says that a run has ended by itself.
local function queue()
  local function nothing() end
  -- Tables have no finalizers there.
  if K.is_jit or K.is_51 then return setmetatable, nothing, nothing end
  local noted = {}
  local finalizers = setmetatable({}, {__mode = 'k'})      -- by metatable
  local owners = setmetatable({}, {__mode = 'k'})          -- by object: the token of its run
  local tokens = setmetatable({}, {__mode = 'k'})          -- by record

  local function note(object) insert(noted, object) end

  local function token_of(R)
    local token = tokens[R]
    if not token then
      token = {ended = false, run = setmetatable({R}, {__mode = 'v'})}
      tokens[R] = token
    end
    return token
  end

  local function finalize()
    local batch, n, R = {}, 0, S.R
    while true do
      local object = remove(noted)
      if object == nil then break end
      n = n + 1
      batch[n] = object
    end
    for i = n, 1, -1 do      -- in the collector's order
      local object = batch[i]
      local meta, owner = getmetatable(object), owners[object]
      local finalizer = meta and finalizers[meta]
      if finalizer and owner then
        if owner.ended or owner.run[1] == R then
          pcall(finalizer, object)
        elseif owner.run[1] then
          insert(noted, object)
        end
      end
    end
  end

  local function with_finalizer(t, ...)
    local meta = ...
    if type(t) == 'table' and type(meta) == 'table' then
      local finalizer = rawget(meta, '__gc')
      if type(finalizer) == 'function' then
        if finalizer ~= note then
          finalizers[meta] = finalizer
          rawset(meta, '__gc', note)
        end
        owners[t] = token_of(S.R)
      end
      if #noted > 0 then finalize() end
    end
    return setmetatable(t, ...)
  end

  local function ended(R)
    local token = tokens[R]
    if token then token.ended = true end
  end

  return with_finalizer, finalize, ended
end

return {queue = queue}
