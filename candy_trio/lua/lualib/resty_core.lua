-- resty.core: in OpenResty it replaces parts of the API by faster ones; here there is nothing to
-- replace. Scripts require it, or a part of it, for its effect, its version or the few functions
-- of its parts that have a meaning without LuaJIT's ffi.

local K, host, A = ...

local select = select
local concat, find, sub = table.concat, string.find, string.sub
local raise = A.raise

local NAME_OF_VERSION = {ctx = '_VERSION', misc = '_VERSION', worker = '_VERSION'}

-- Its parts, by their names in lua-resty-core.
local PARTS = {
  'base', 'base64', 'coroutine', 'ctx', 'exit', 'hash', 'misc', 'ndk', 'param', 'phase', 'regex', 'request',
  'response', 'shdict', 'socket', 'time', 'uri', 'utils', 'var', 'worker',
}

local function allows_subsystem(...)
  for i = 1, select('#', ...) do
    if (select(i, ...)) == 'http' then return end
  end
  return raise('unsupported subsystem: http')
end

-- Every byte `from` of the text becomes `to`.
local function str_replace_char(text, from, to)
  text = A.check_string(text, 1, 'str_replace_char')
  from = sub(A.check_string(from, 2, 'str_replace_char'), 1, 1)
  to = sub(A.check_string(to, 3, 'str_replace_char'), 1, 1)
  local pieces, n, start = {}, 0, 1
  local at = from ~= '' and find(text, from, 1, true)
  while at do
    pieces[n + 1], pieces[n + 2] = sub(text, start, at - 1), to
    n, start = n + 2, at + 1
    at = find(text, from, start, true)
  end
  return concat(pieces, '', 1, n) .. sub(text, start)
end

-- `override` says that it takes the place of what is there.
local function set_req_header(name, value, override)
  if override then return A.set_request_header(name, value) end
  return A.add_request_header(name, value)
end

local M = {}

M['resty.core'] = function() return {version = A.core_version} end
for i = 1, #PARTS do
  local version = NAME_OF_VERSION[PARTS[i]] or 'version'
  M['resty.core.' .. PARTS[i]] = function() return {[version] = A.core_version} end
end

M['resty.core.base'] = function(I)
  return {
    version = A.core_version, allows_subsystem = allows_subsystem, new_tab = I.table.new, clear_tab = I.table.clear,
    FFI_OK = 0, FFI_NO_REQ_CTX = -100, FFI_BAD_CONTEXT = -101, FFI_ERROR = -1, FFI_AGAIN = -2, FFI_BUSY = -3,
    FFI_DONE = -4, FFI_DECLINED = -5,
  }
end

M['resty.core.request'] = function() return {version = A.core_version, set_req_header = set_req_header} end

M['resty.core.utils'] = function() return {version = A.core_version, str_replace_char = str_replace_char} end

return M
