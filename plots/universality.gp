# Distortion ratios by layer and head, a pair of panels for each codec. Data: for pair p and side s (keys, values)
# index 4p+2s holds layer + head fraction, ratio, low, high of heads in line with the theorem, the next index
# those that deviate, deviating<2p+s> of them.
set multiplot
set label 1 "Distortion by layer and head over the canonical one" at screen 0.5,sy(0.35) center font ",8"
set label 2 where at screen 0.5,sy(0.75) center noenhanced
set label 9 note at screen sx(0.3),sy(1.1 + 3.5 * pairs + 0.7) left noenhanced textcolor rgb "#444444"
set xrange [-0.6:layers+0.95]
set errorbars 0
unset key
do for [p=0:pairs-1] {
    set tmargin at screen sy(1.1 + 3.5 * p + 0.75)
    set bmargin at screen sy(1.1 + 3.5 * p + 3.05)
    do for [side=0:1] {
        set lmargin at screen sx(side == 0 ? 1.3 : 5.55)
        set rmargin at screen sx(side == 0 ? 4.55 : 8.55)
        if (side == 0) { set yrange [key_low:key_high] } else { set yrange [value_low:value_high] }
        if (side == 0) {
            set label 3 value("title".p) at screen sx(1.3),sy(1.1 + 3.5 * p + 0.2) left noenhanced
            set label 4 "ratio of D" at screen sx(0.3),sy(1.1 + 3.5 * p + 1.9) center rotate by 90
        }
        set label 5 (side == 0 ? "keys: " : "values: ").value("summary".(2*p+side)) at graph 0,1 offset 0,0.6 left textcolor rgb "#444444"
        set xlabel (p == pairs - 1 ? "layer" : "") offset 0,0.4
        if (value("deviating".(2*p+side)) > 0) {
            plot 1 with lines linecolor rgb "#000000" dashtype 1 linewidth 0.8, \
                 data index (4*p+2*side) using 1:2:3:4 with yerrorbars linecolor rgb "#56B4E9" dashtype 1 pointsize 0 linewidth 0.5, \
                 data index (4*p+2*side) using 1:2 with points linecolor rgb "#0072B2" pointtype 7 pointsize 0.3, \
                 data index (4*p+2*side+1) using 1:2:3:4 with yerrorbars linecolor rgb "#D55E00" dashtype 1 pointsize 0 linewidth 0.9, \
                 data index (4*p+2*side+1) using 1:2 with points linecolor rgb "#D55E00" pointtype 5 pointsize 0.7
        } else {
            plot 1 with lines linecolor rgb "#000000" dashtype 1 linewidth 0.8, \
                 data index (4*p+2*side) using 1:2:3:4 with yerrorbars linecolor rgb "#56B4E9" dashtype 1 pointsize 0 linewidth 0.5, \
                 data index (4*p+2*side) using 1:2 with points linecolor rgb "#0072B2" pointtype 7 pointsize 0.3
        }
        unset label
    }
}
unset multiplot
