// Command conformance looks at a backend for frontends from outside, and says which of
// its promises it keeps:
//
//	go run . -adapter coatcheck-form              # every case, as a table
//	go run . -adapter oauth2-proxy -only cookies  # a group, or the case of an id
//	go run . -adapter all -limit 20m -json out.json -junit out.xml
//	go run . -list                                # the cases and what they rest on
//
// It exits with 0 where nothing failed, 1 for failures of low and medium severity, 2 for
// high and critical ones, 3 where a case could not be looked at, 4 for a subject that
// does not start. docs/conformance.md has the results, and says how to contest one.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"coatcheck/bff/conformance/adapters"
	"coatcheck/bff/conformance/cases"
	"coatcheck/bff/conformance/report"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

func main() {
	name := flag.String("adapter", "", "whom to look at: a `name` of -list, or all")
	only := flag.String("only", "", "a `group` of cases, or one case")
	jsonFile := flag.String("json", "", "write the results to this `file`")
	junitFile := flag.String("junit", "", "write them as JUnit to this `file`")
	limit := flag.Duration("limit", 20*time.Minute, "how long one subject may take; cases that it does not reach are undecided")
	list := flag.Bool("list", false, "print the adapters and the cases")
	flag.Parse()
	if *list || *name == "" {
		show(os.Stdout)
		os.Exit(0)
	}
	runs, code := look(*name, *only, *limit)
	for file, write := range map[string]func(io.Writer, []*report.Run) error{*jsonFile: report.JSON, *junitFile: report.JUnit} {
		if err := save(file, runs, write); err != nil {
			fmt.Fprintln(os.Stderr, "conformance:", err)
			code = 4
		}
	}
	os.Exit(code)
}

func show(w io.Writer) {
	for _, a := range adapters.All() {
		fmt.Fprintf(w, "%-22s %s\n", a.Name, a.About)
		if a.NotRun != "" {
			fmt.Fprintf(w, "%-22s %s\n", "", a.NotRun)
		}
	}
	all := cases.All()
	fmt.Fprintf(w, "\n%d cases:\n", len(all))
	for _, c := range all {
		fmt.Fprintf(w, "%-32s %-9s %s\n%44s%s\n", c.ID, c.Severity, c.Pass, "", c.Source)
	}
}

// look runs the cases against the adapters that a name means. The code is the worst.
func look(name, only string, limit time.Duration) (runs []*report.Run, code int) {
	found := false
	for _, a := range adapters.All() {
		if a.Name != name && (name != "all" || strings.HasPrefix(a.Name, "toy-")) {
			continue
		}
		found = true
		if a.NotRun != "" && name == "all" {
			fmt.Printf("%s: %s\n", a.Name, a.NotRun)
			continue
		}
		r, err := one(a, only, limit)
		if err != nil {
			fmt.Fprintf(os.Stderr, "conformance: %s: %v\n", a.Name, err)
			code = 4
			continue
		}
		runs, code = append(runs, r), max(code, r.Exit())
	}
	if !found {
		fmt.Fprintf(os.Stderr, "conformance: no adapter is called %q; -list shows them\n", name)
		return nil, 4
	}
	if len(runs) > 1 {
		report.Table(os.Stdout, runs)
	}
	return runs, code
}

// one looks at one subject. What still runs when its time is up is left behind: the next
// subject has a world of its own.
func one(a suite.Adapter, only string, limit time.Duration) (*report.Run, error) {
	begun := time.Now()
	fmt.Printf("\n%s: begun at %s, for at most %v\n", a.Name, begun.Format(time.TimeOnly), limit)
	w, err := world.New()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	most := suite.NewLimit(limit)
	s, err := start(a, w, most)
	if err != nil {
		return nil, err
	}
	r := report.New(s, a.Name)
	for _, c := range cases.All() {
		if only != "" && only != c.Group && only != c.ID {
			continue
		}
		result := suite.RunWithin(most, w, s, c)
		r.Results = append(r.Results, result)
		report.Line(os.Stdout, result)
	}
	r.Browser, r.Took = s.Browser(), time.Since(begun).Round(time.Second)
	r.Summary(os.Stdout)
	return r, nil
}

func start(a suite.Adapter, w *world.World, most suite.Limit) (*suite.Subject, error) {
	type started struct {
		s   *suite.Subject
		err error
	}
	done := make(chan started, 1)
	go func() { s, err := a.Start(w); done <- started{s, err} }() // ends with the subject's start, or with the program
	select {
	case d := <-done:
		return d.s, d.err
	case <-most.Over():
		return nil, fmt.Errorf("it does not start within %v", most)
	}
}
func save(file string, runs []*report.Run, write func(io.Writer, []*report.Run) error) error {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := write(f, runs); err != nil {
		return err
	}
	return f.Close()
}
