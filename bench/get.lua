-- A plain GET; wrk sends the same bytes again and again.
dofile((debug.getinfo(1, "S").source:match("^@(.*/)") or "./") .. "report.lua")
