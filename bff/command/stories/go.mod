module coatcheck/bff/command/stories

go 1.26.0

require (
	coatcheck v0.0.0
	github.com/rogpeppe/go-internal v1.16.0
)

require (
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/tools v0.26.0 // indirect
)

replace coatcheck => ../../..
