# Planar codebooks with their cells. Data: for panel p, index 2p holds the closed polygons (blank line between
# them), index 2p+1 the codewords; it stands in row row<p> and column column<p>.
set multiplot
set label 1 "Codebooks at k = 2 and their cells" at screen 0.5,sy(0.35) center font ",8"
unset border
unset tics
unset grid
unset key
size = 8.1 / columns
do for [p=0:panels-1] {
    across = value("column".p)
    down = value("row".p)
    limit = value("disc".p) * 1.03
    set xrange [-limit:limit]
    set yrange [-limit:limit]
    set lmargin at screen sx(0.6 + size * across)
    set rmargin at screen sx(0.6 + size * (across + 1) - 0.1)
    set tmargin at screen sy(1.2 + (size + 0.1) * down)
    set bmargin at screen sy(1.2 + (size + 0.1) * down + size - 0.1)
    set label 2 value("across".across) at screen sx(0.6 + size * (across + 0.5)),sy(0.95) center noenhanced
    set label 3 value("down".down) at screen sx(0.3),sy(1.2 + (size + 0.1) * (down + 0.5)) center rotate by 90 noenhanced
    plot data index (2*p) using 1:2 with lines linecolor rgb "#0072B2" linewidth 0.8 dashtype 1, \
         data index (2*p+1) using 1:2 with points pointtype 7 pointsize (columns > 3 ? 0.25 : 0.35) linecolor rgb "#000000"
    unset label
}
unset multiplot
