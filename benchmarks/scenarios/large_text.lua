-- Made once: making it anew would take LuaJIT longer than nginx takes to send it.
return string.rep("0123456789", 10240)
