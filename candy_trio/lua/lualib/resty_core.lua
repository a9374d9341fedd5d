-- resty.core: in OpenResty it replaces parts of the API by faster ones; here there is nothing to
-- replace. Scripts require it, or a part of it, for its effect or its version.

local VERSION = '0.1.25'      -- what goes with lua-nginx-module 0.10.23

local M = {}

M['resty.core'] = function() return {version = VERSION} end

-- Its parts, by their names in lua-resty-core.
local PARTS = {
  'base', 'base64', 'ctx', 'exit', 'hash', 'misc', 'ndk', 'param', 'phase', 'regex', 'request', 'response',
  'shdict', 'socket', 'time', 'uri', 'utils', 'var', 'worker',
}
for i = 1, #PARTS do M['resty.core.' .. PARTS[i]] = M['resty.core'] end

return M
