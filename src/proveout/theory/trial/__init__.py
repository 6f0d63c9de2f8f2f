"""Who is judged, by which lens, and what comes of it: verdicts, red twins, replays.

check      one statement, or every row of the catalogue
judge      which lens judges what, sharpest first
mutants    the red twins, and `effect`: does a twin change anything?
replay     both sides of a violation, rebuilt from its file
curves     claimed against measured along runs
sources    stems, ids, and a user's own files;  pool: many rows on processes
"""
