# Fidelity by protocol. Data: for each of `series` codes a block of 1 - cosine, its lower and upper end of 2 SE, and
# minus the number of the protocol, whose words stand above its points.
set multiplot
set label 1 "The same codes under other protocols" at screen 0.5,sy(0.35) center font ",8"
set label 2 where at screen 0.5,sy(0.75) center noenhanced
set lmargin at screen sx(0.4)
set rmargin at screen sx(8.4)
set tmargin at screen sy(1.0)
set bmargin at screen sy(1.0 + 0.62 * lines)
unset key
unset ytics
set grid noytics
set logscale x
set xrange [x_high:x_low] # 1 - cosine, the better the farther right
set yrange [-lines+0.35:0.8]
set xtics ("−0.5" 1.5, "0" 1, "0.2" 0.8, "0.5" 0.5, "0.7" 0.3, "0.8" 0.2, "0.9" 0.1, "0.95" 0.05, "0.98" 0.02, "0.99" 0.01, "0.995" 0.005, "0.998" 0.002, "0.999" 0.001, "0.9999" 1e-4, "0.99999" 1e-5)
set xlabel "attention-output cosine (scale: log of 1 − cosine)" offset 0,0.3
set arrow from 0.05,graph 0 to 0.05,graph 1 nohead dashtype 2 linewidth 0.8 linecolor rgb "#444444"
set arrow from 0.01,graph 0 to 0.01,graph 1 nohead dashtype 2 linewidth 0.8 linecolor rgb "#444444"
do for [i=0:lines-1] {
    set label 10+i value(sprintf("line%d", i)) at graph 0.0, first (-i + 0.48) left noenhanced
}
plot for [i=0:series-1] data index (i) using 1:4:2:3 with xerrorbars linetype (101+i) dashtype 1 linewidth 0.6 pointsize 0, \
     for [i=0:series-1] data index (i) using 1:4 with points linetype (101+i) pointsize 0.9
unset label
unset arrow
@key_below
set tmargin at screen sy(key_top)
set bmargin at screen sy(height)
set key at screen sx(0.5),sy(key_top + 0.1) left top Left reverse maxrows keys
plot NaN notitle, @key_entries
unset multiplot
