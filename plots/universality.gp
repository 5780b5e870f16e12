# Distortion ratios by layer and head. Data: for panel p, index 2p holds layer + head fraction, ratio, low,
# high of heads in line with the theorem, index 2p+1 of those that deviate, deviating<p> of them. Panels: keys left, values right.
rows = panels / 2
if (format eq "png") {
    set terminal pngcairo size 1800,160+390*rows enhanced font "DejaVu Sans,14" linewidth 1.6 background rgb "white"
} else {
    set terminal pdfcairo size 1800/128.0,(160+390*rows)/128.0 enhanced font "DejaVu Sans,14" linewidth 1.6
}
set output out.".".format
set multiplot
set label 1 "Universality: distortion of each layer and head over the canonical source's" at screen 0.5,1-36.0/(160+390*rows) center font ",20"
set label 2 caption at screen 0.5,1-72.0/(160+390*rows) center noenhanced font ",12" textcolor rgb "#444444"
set xlabel "layer (its heads side by side)"
set xrange [-0.7:*]
set key top right horizontal font ",12"
do for [p=0:panels-1] {
    row = p / 2
    height = 390.0 / (160 + 390 * rows)
    top = 1 - 118.0 / (160 + 390 * rows) - row * height
    set tmargin at screen top
    set bmargin at screen top - height * 0.70
    set lmargin at screen (p % 2 == 0 ? 0.06 : 0.56)
    set rmargin at screen (p % 2 == 0 ? 0.485 : 0.985)
    set ylabel (p % 2 == 0 ? "D / D_{canonical}" : "")
    set title value(sprintf("title%d", p)) noenhanced offset 0,-0.5 font ",12"
    deviating = value(sprintf("deviating%d", p))
    if (deviating > 0) {
        plot 1 with lines linecolor rgb "#000000" dashtype 1 linewidth 0.8 notitle, \
             data index (2*p) using 1:2:3:4 with yerrorbars linecolor rgb "#0072B2" dashtype 1 pointtype 7 pointsize 0.5 linewidth 0.6 notitle, \
             data index (2*p+1) using 1:2:3:4 with yerrorbars linecolor rgb "#D55E00" dashtype 1 pointtype 5 pointsize 1.3 linewidth 1.4 title "deviates"
    } else {
        plot 1 with lines linecolor rgb "#000000" dashtype 1 linewidth 0.8 notitle, \
             data index (2*p) using 1:2:3:4 with yerrorbars linecolor rgb "#0072B2" dashtype 1 pointtype 7 pointsize 0.5 linewidth 0.6 notitle
    }
    unset label
}
unset multiplot
