-- Gates of the C extension: a function of ours is a C function again, which calls ours where it must.
--
-- For PUC-Lua, whose calls of Lua functions cost more than most of what these do; on LuaJIT ours is
-- compiled into whatever calls it. What a gate may give to the native function is what takes at most
-- a few ms there, calls nothing of a script's, and raises nothing. See _slicer.c.

local K = ...

local gate = K.slicing.gate
if not gate then return end

local library, gates = K.library, K.gates
local quick, piece = K.patterns.quick, K.piece

local SHORT_TEXT, KNOWN_PATTERN, INSERT, REMOVE = 0, 1, 2, 3     -- see make_gate() there
local MAX_NUMERAL = 1048576      -- bytes of a number as text: 1.5 ms

local function put(kind, natives, functions, name, ...)
  local f = gate(kind, natives[name], functions[name], ...)
  functions[name], gates[f] = f, true
end

put(SHORT_TEXT, string, library.string, 'upper', piece)
put(SHORT_TEXT, string, library.string, 'lower', piece)
put(SHORT_TEXT, string, library.string, 'reverse', piece)
put(SHORT_TEXT, _G, library.base, 'tostring', math.maxinteger)
put(SHORT_TEXT, _G, library.base, 'tonumber', MAX_NUMERAL)
put(KNOWN_PATTERN, string, library.string, 'find', quick.find, quick.plain)
put(KNOWN_PATTERN, string, library.string, 'match', quick.match, quick.match)
put(INSERT, table, library.table, 'insert')
put(REMOVE, table, library.table, 'remove')
