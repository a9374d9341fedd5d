ngx.print(require("large_text"))
