module coatcheck/bff/bench

go 1.26.0

require (
	coatcheck v0.0.0
)

replace coatcheck => ../..
