# Distortion over 4^-b in dB against rate, a panel for each dimension. Data: for each panel and each of `series`
# series two blocks: rate, D, standard error of every row; then rate and mean D. Behind all these, for each panel
# and k, rate and what no code of as many words in a block goes below; last, for each panel, rate and what no code
# of as many bits a vector goes below.
set multiplot
set label 1 "Distortion above 4⁻ᵇ, canonical source" at screen 0.5,sy(0.35) center font ",8"
db(d, b) = 10 * log10(d) + 20 * log10(2) * b
set ylabel "10 log₁₀(4ᵇ D) (dB)" offset 1.0,0
set xrange [x_low:x_high]
set lmargin at screen sx(1.15)
set rmargin at screen sx(8.6)
unset key
do for [panel=0:panels-1] {
    set tmargin at screen sy(0.95 + 4.8 * panel)
    set bmargin at screen sy(0.95 + 4.8 * panel + 3.9)
    set label 2 sprintf("d = %d", value("dim".panel)) at graph 0,1 offset 0,0.5 left
    set xlabel (panel == panels - 1 ? "rate b (bits a coordinate, norm not counted)" : "") offset 0,0.3
    set yrange [value(sprintf("y%d_low", panel)):value(sprintf("y%d_high", panel))]
    first = panel * 2 * series
    plot for [i=0:value("levels".panel)-1] value(sprintf("level%d_%d", panel, i)) with lines linetype value(sprintf("level_style%d_%d", panel, i)) dashtype (1.5,2.5) linewidth 1.2, \
         data index (limits_before+panel) using 1:(db($2,$1)) with lines linecolor rgb "#000000" dashtype 1 linewidth 1.2, \
         for [i=0:value("bounds".panel)-1] data index (2*series*panels+value("bounds_before".panel)+i) using 1:(db($2,$1)) with lines linetype value(sprintf("bound_style%d_%d", panel, i)) dashtype 3 linewidth 1.6, \
         for [i=0:series-1] data index (first+2*i) using 1:(db($2,$1)):(20*log10(exp(1))*$3/$2) with yerrorbars linetype (101+i) dashtype 1 linewidth 0.6 pointsize 0, \
         for [i=0:series-1] data index (first+2*i) using 1:(db($2,$1)) with points linetype (101+i) pointsize 0.8, \
         for [i=0:series-1] data index (first+2*i+1) using 1:(db($2,$1)) with lines linetype (101+i) linewidth 0.9
    unset label
}
@key_below
set tmargin at screen sy(0.95 + 4.8 * panels + 0.35)
set bmargin at screen sy(height)
set key at screen sx(0.5),sy(0.95 + 4.8 * panels + 0.45) left top Left reverse maxrows series + 3
plot NaN notitle, for [i=0:series-1] keyentry with linespoints linetype (101+i) title value("label".i) noenhanced, \
     keyentry with lines linecolor rgb "#000000" dashtype 1 linewidth 1.2 title "no code of b d bits lies below (equal caps, Shannon)", \
     keyentry with lines linecolor rgb "#444444" dashtype (1.5,2.5) linewidth 1.2 title "high-rate value for each k, best known cell", \
     keyentry with lines linecolor rgb "#444444" dashtype 3 linewidth 1.6 title "no code of as many words in a block lies below (each k)"
unset multiplot
