-- The modules that come with the server: which there are, and how an isolate opens one.
--
-- A file of lualib/ is loaded when a script first requires one of its modules, once for the VM. It
-- gets (K, host, A) as the areas of the API do and returns a table: by module name, a function of
-- the isolate that makes the module anew, because what one isolate's scripts do to a module no
-- other may see. A module of several files loads the others with its fourth argument, a function of
-- a file's name and of what that file is to get.

local K, host, A = ...

local load_text = loadstring or load
local find = string.find

-- Module name → its file in lualib/.
local FILES = {
  ['bit'] = 'bit',
  ['cjson'] = 'cjson', ['cjson.safe'] = 'cjson',
  ['ngx.base64'] = 'ngx_base64',
  ['ngx.errlog'] = 'ngx_errlog',
  ['ngx.re'] = 'ngx_re',
  ['ngx.req'] = 'ngx_headers',
  ['ngx.resp'] = 'ngx_headers',
  ['resty.core'] = 'resty_core',
  ['table.clear'] = 'table_parts',
  ['table.clone'] = 'table_parts',
  ['table.isarray'] = 'table_parts',
  ['table.isempty'] = 'table_parts',
  ['table.new'] = 'table_parts',
  ['table.nkeys'] = 'table_parts',
}

local loaded = {}       -- file → what it returned

local function run_file(file, ...)
  local chunk = load_text(host.lualib_source(file), '=[candy lualib/' .. file .. '.lua]')
  return chunk(...)
end

local function load_file(file)
  loaded[file] = run_file(file, K, host, A, run_file)
  return loaded[file]
end

-- The function of an isolate that makes the module `name`; nil if the server has none of that name.
local function opener(name)
  local file = FILES[name]
  if not file and find(name, '^resty%.core%.') then file = 'resty_core' end
  if not file then return nil end
  return (loaded[file] or load_file(file))[name]
end

return {opener = opener}
