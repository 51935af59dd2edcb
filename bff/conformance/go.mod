module coatcheck/bff/conformance

go 1.26.0

require coatcheck v0.0.0

require github.com/go-jose/go-jose/v4 v4.1.9

replace coatcheck => ../..
