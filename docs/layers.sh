#!/bin/sh
# Prints docs/layers.dot, made from the table of layers that the build checks: docs/layers.sh < tests/structure/layers.txt
#
# An arrow points from a directory to one that it may include. Arrows that follow from others are left out.
LC_ALL=C awk '
    BEGIN {
        holds["core"] = "events, tasks, held locks, lock classes and models"
        holds["lock"] = "locks, guards, threads"
        holds["order"] = "the order checker"
        holds["adapt"] = "locks of other libraries"
        holds["std_like"] = "the types of the standard library"
        holds["workload"] = "actions, programs, outcomes"
        holds["model"] = "roles of the kernel, designs"
        holds["linux"] = "names of the kernel"
        holds["explore"] = "controller, strategies, verdicts"
        holds["verify"] = "certificates, a second meaning"
        holds["scenario"] = "locking designs as text"
        holds["fuzz"] = "bytes as programs, libFuzzer"
        holds["stress"] = "real threads, watchdog"
        holds["report"] = "text, JSON, pictures"
        holds["main"] = "subcommands"
        holds["implement"] = "compiled once per program"
    }
    /^#/ || !/:/ { next }
    {
        name = $1; sub(/:$/, "", name)
        if (name == ".") next
        names[++count] = name
        for (i = 2; i <= NF; i++) if ($i == "*") all[name] = 1; else may[name, $i] = 1
    }
    END {
        for (n in all) for (i = 1; i <= count; i++) if (names[i] != n && !(names[i] in all)) may[n, names[i]] = 1
        print "// Made by docs/layers.sh from tests/structure/layers.txt; `./dev docs` draws layers.svg from it."
        print "digraph layers {"
        print "    rankdir=BT; nodesep=0.25; ranksep=0.35;"
        print "    node [shape=box, style=\"filled,rounded\", fillcolor=\"#eef3fa\", color=\"#5b7ba8\", fontname=\"Helvetica\", fontsize=11];"
        print "    edge [color=\"#5b7ba8\", dir=back];"
        for (i = 1; i <= count; i++)
            printf "    \"%s\" [label=<<b>%s/</b><br/><font point-size=\"9\">%s</font>>];\n", names[i], names[i], holds[names[i]]
        for (i = 1; i <= count; i++)
            for (j = 1; j <= count; j++) {
                if (!((names[i], names[j]) in may)) continue
                follows = 0
                for (k = 1; k <= count; k++)
                    if ((names[i], names[k]) in may && (names[k], names[j]) in may) follows = 1
                if (!follows) printf "    \"%s\" -> \"%s\";\n", names[j], names[i]
            }
        print "}"
    }'
