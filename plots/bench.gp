# Data: place, naive, library, ours, target, label; one line a row of work.
set title "Speed on one core, as a fraction of what bounds the work" font ",18" offset -12,1.6
set logscale x 10
set xrange [0.005:*]
set yrange [-lines+0.3:0.7]
set xlabel "fraction of the limit in parentheses: FMA peak or copy bandwidth" font ",15"
set format x "%g"
set grid xtics ytics
set ytics font ",12"
set key at screen 0.5, screen 0.92 center top horizontal font ",14" maxrows 1 samplen 1 width -1
set tmargin 4.6
set arrow 1 from 1,graph 0 to 1,graph 1 nohead linecolor rgb "#000000" linewidth 1.5 front
set label 1 "limit" at 1,graph 1 offset 0.4,-0.6 left font ",14" front
set lmargin 42
plot data using 2:1:ytic(6) with points linetype 8 title "naive loops", \
     data using 3:1 with points linetype 2 title "OpenBLAS", \
     data using 5:1 with points linetype 7 pointtype 3 title "target", \
     data using 4:1 with points linetype 1 pointsize 1.6 title "fibquant"
