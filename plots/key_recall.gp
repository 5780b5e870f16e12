# Recall by depth. Data: for each of `panels` lengths `series` blocks (the uncompressed model first) of depth, share
# recalled, standard error.
set multiplot
set label 1 "Recall from a compressed cache" at screen 0.5,sy(0.35) center font ",8"
set label 2 where at screen 0.5,sy(0.75) center noenhanced
set lmargin at screen sx(1.3)
set rmargin at screen sx(8.6)
set xrange [-0.02:1.02]
set yrange [-0.05:1.05]
set ytics 0,0.25,1
unset key
do for [panel=0:panels-1] {
    set tmargin at screen sy(1.3 + 3.3 * panel)
    set bmargin at screen sy(1.3 + 3.3 * panel + 2.5)
    set label 3 "contexts of ".value(sprintf("length%d", panel))." tokens" at screen sx(1.35),sy(1.1 + 3.3 * panel) left noenhanced
    set ylabel "recalled" offset 0.6,0
    set xlabel (panel == panels - 1 ? "place in the context: 0 is oldest" : "") offset 0,0.3
    plot for [i=0:series-1] data index (panel*series+i) using 1:2:(2*$3) with yerrorbars linetype (101+i) dashtype 1 linewidth 0.6 pointsize 0, \
         for [i=0:series-1] data index (panel*series+i) using 1:2 with linespoints linetype (101+i) pointsize 0.8
    unset label
}
@key_below
set tmargin at screen sy(key_top)
set bmargin at screen sy(height)
set key at screen sx(0.3),sy(key_top) left top Left reverse maxrows keys
plot NaN notitle, @key_entries
unset multiplot
