# Data: a block for each curve: axis value, time a unit, quartiles, expected; lists of blocks by axis.
set multiplot layout 2,3 title "How cost grows: measured slope (expected slope, dotted)" font ",18"
set logscale x 2
set logscale y 10
set format y "10^{%T}"
set key top left Left reverse font ",11" samplen 2 spacing 1.0
set autoscale xfix
set offsets graph 0.05, graph 0.05, graph 0.45, graph 0.05
set tics font ",13"
do for [axis in "N k d tokens threads"] {
    list = value("curves_".axis)
    if (words(list) > 0) {
        set xlabel axis font ",15"
        set ylabel (axis eq "N" || axis eq "k" ? "seconds a block" : axis eq "d" ? "seconds a vector" : \
                    axis eq "tokens" ? "seconds a head" : "seconds a sample") font ",15"
        if (axis eq "threads") { set xtics (1, 2, 3, 4, 8, 16, 32, 64) }
        if (axis eq "k") { set xtics 1,2 }
        if (axis eq "N") { set xtics 16,16 }
        if (axis eq "d") { set xtics 16,4 }
        if (axis eq "tokens") { set xtics 1024,4 }
        plot for [i in list] data index int(i) using 1:5 with lines linecolor rgb "#888888" dashtype 3 notitle, \
             for [i in list] data index int(i) using 1:2:3:4 with yerrorbars linetype (int(i) % 8 + 1) dashtype 1 notitle, \
             for [i in list] data index int(i) using 1:2 with linespoints linetype (int(i) % 8 + 1) title columnheader(1)
    }
}
unset multiplot
