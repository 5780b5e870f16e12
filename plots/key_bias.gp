# Change of perplexity against the constant that keys share. Data: for each of `series` series a block of constant,
# change, standard error.
set multiplot
set label 1 "Keys that share a constant" at screen 0.5,sy(0.35) center font ",8"
set label 2 where at screen 0.5,sy(0.75) center noenhanced
set lmargin at screen sx(1.45)
set rmargin at screen sx(8.6)
set tmargin at screen sy(1.1)
set bmargin at screen sy(6.6)
unset key
set logscale x
set xrange [bias_low:bias_high]
set xtics ("0" 0.5, "1" 1, "3" 3, "10" 10, "30" 30, "100" 100, "300" 300, "1000" 1000, "3000" 3000, "10000" 10000)
set xlabel "constant added to a coordinate of every key" offset 0,0.3
set label 3 "change of perplexity" at screen sx(0.3),sy(3.85) center rotate by 90
set yrange [change_low:change_high]
set nonlinear y via asinh(y) inverse sinh(y)
set ytics (0.0)
do for [v in "1 3 10 30 100 300 1000 10000 100000 1000000 100000000"] {
    set ytics add (real(v))
    set ytics add (-real(v))
}
plot for [i=0:series-1] data index (i) using 1:2:(2*$3) with yerrorbars linetype (101+i) dashtype 1 linewidth 0.6 pointsize 0, \
     for [i=0:series-1] data index (i) using 1:2 with linespoints linetype (101+i) pointsize 0.8
unset label
unset nonlinear y
@key_below
top = 7.5
set tmargin at screen sy(top)
set bmargin at screen sy(height)
set key at screen sx(0.3),sy(top) left top Left reverse maxrows keys
set label 1 note at screen sx(0.3),sy(top + 0.4 + 0.31 * keys) left noenhanced textcolor rgb "#444444"
plot NaN notitle, @key_entries
unset multiplot
