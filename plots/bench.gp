# Data: place, naive, library, ours, target, label; one line a row of work, headings between them.
set label 1 "Speed on one core, as a fraction of its limit" at screen 0.5,sy(0.35) center font ",8"
if (quick) { set label 2 "quick runs: small sizes, times mean little" at screen 0.5,sy(0.72) center textcolor rgb "#444444" }
set logscale x 10
set xrange [x_low:x_high]
set yrange [-lines+0.3:0.7]
set xlabel "fraction of the limit" offset 0,0.3
set format x "%g"
set grid xtics ytics
set lmargin at screen sx(4.9)
set rmargin at screen sx(8.6)
set tmargin at screen sy(1.0)
set bmargin at screen sy(height - 1.05)
set ytics noenhanced
set arrow 1 from 1,graph 0 to 1,graph 1 nohead linecolor rgb "#000000" linewidth 1.2 front
do for [i=0:headings-1] {
    set label (10+i) value("heading".i) at screen sx(0.15),first value("heading_place".i) left noenhanced
}
set key at screen sx(0.15),sy(height - 0.08) left bottom vertical maxrows 2 Left reverse samplen 0.6 width -1
set datafile columnheaders
plot data using 2:1:ytic(6) with points linecolor rgb "#666666" pointtype 8 pointsize 0.6 title "naive loops", \
     data using 3:1 with points linecolor rgb "#D55E00" pointtype 5 pointsize 0.5 title "OpenBLAS", \
     data using 5:1 with points linecolor rgb "#000000" pointtype 3 pointsize 0.7 title "target", \
     data using 4:1 with points linecolor rgb "#0072B2" pointtype 7 pointsize 0.8 title "fibquant"
