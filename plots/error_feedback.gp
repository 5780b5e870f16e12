# Convergence against rounds and bits. Data: for panel p the blocks first<p> to behind<p>-1 hold round, bits, gradient and
# its standard error of a series each, series_of<block>; floor_first to floor_behind-1 hold step, gradient, error.
set multiplot
set label 1 "Distributed gradient methods that send codes" at screen 0.5,sy(0.35) center font ",8"
unset key
set format y "10^{%L}"
set logscale xy
do for [p=0:panels-1] {
    top = 1.3 + 5.2 * p
    set tmargin at screen sy(top)
    set bmargin at screen sy(top + 3.6)
    set yrange [value("gradient".p."_low"):value("gradient".p."_high")]
    do for [side=0:1] {
        set lmargin at screen sx(side == 0 ? 1.3 : 5.4)
        set rmargin at screen sx(side == 0 ? 4.6 : 8.6)
        if (side == 0) {
            set xrange [value("rounds".p."_low"):value("rounds".p."_high")]
            set label 2 value("panel".p) at screen sx(1.3),sy(top - 0.3) left noenhanced
            set label 3 "|gradient|^2" at screen sx(0.25),sy(top + 1.8) center rotate by 90
            set xlabel "rounds" offset 0,0.4
        } else {
            set xrange [value("bits".p."_low"):value("bits".p."_high")]
            set xlabel "bits sent by a worker" offset 0,0.4
        }
        set format x "10^{%L}"
        first = int(value("first".p))
        behind = int(value("behind".p)) - 1
        plot for [i=first:behind] data index i using (side == 0 ? $1 : $2):3 with lines linetype (101+int(value("series_of".i))) linewidth 1.2
        unset label
    }
}
if (with_floor) {
    top = 1.3 + 5.2 * panels
    set tmargin at screen sy(top)
    set bmargin at screen sy(top + 3.6)
    set lmargin at screen sx(1.3)
    set rmargin at screen sx(8.6)
    set xrange [steps_low:steps_high]
    set yrange [floor_low:floor_high]
    set label 2 "three points: gradients that stay" at screen sx(1.3),sy(top - 0.3) left noenhanced
    set label 3 "|gradient|^2" at screen sx(0.25),sy(top + 1.8) center rotate by 90
    set xlabel "step size" offset 0,0.4
    plot for [i=int(floor_first):int(floor_behind)-1] data index i using 1:2:(2*$3) with yerrorbars linetype (101+int(value("series_of".i))) dashtype 1 linewidth 0.6 pointsize 0, \
         for [i=int(floor_first):int(floor_behind)-1] data index i using 1:2 with linespoints linetype (101+int(value("series_of".i))) pointsize 0.8
    unset label
}
@key_below
top = 0.9 + 5.2 * (panels + with_floor)
set tmargin at screen sy(top)
set bmargin at screen sy(height)
set key at screen sx(0.3),sy(top) left top Left reverse maxrows series
plot NaN notitle, for [i=0:series-1] keyentry with linespoints linetype (101+i) title value("label".i) noenhanced
unset multiplot
