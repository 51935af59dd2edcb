// Package report tells what became of the cases: as a table for people, as JSON and as
// JUnit for programs.
package report

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"coatcheck/bff/conformance/suite"
)

// Run is one subject's run.
type Run struct {
	Name     string         `json:"subject"`
	Version  string         `json:"version"`
	Settings string         `json:"settings"`
	Date     string         `json:"date"`
	Browser  string         `json:"browser"`
	Took     time.Duration  `json:"took"`
	Results  []suite.Result `json:"results"`
}

// New is a run that begins now.
func New(s *suite.Subject, name string) *Run {
	return &Run{Name: name, Version: s.Version, Settings: s.Settings, Date: time.Now().UTC().Format("2006-01-02")}
}

// Count is how many results have a verdict, of a severity or of any ("").
func (r *Run) Count(v suite.Verdict, severity suite.Severity) (n int) {
	for _, x := range r.Results {
		if x.Verdict == v && (severity == "" || x.Case.Severity == severity) {
			n++
		}
	}
	return n
}

// Expected is how many failed cases rest on an expectation of the suite alone.
func (r *Run) Expected() (n int) {
	for _, x := range r.Results {
		if x.Verdict == suite.Fail && strings.HasPrefix(x.Case.Source, "expectation") {
			n++
		}
	}
	return n
}

// Exit is 0 where nothing failed, 1 for low and medium, 2 for high and critical, and 3
// where a case could not be looked at.
func (r *Run) Exit() int {
	switch {
	case r.Count(suite.Undecided, "") > 0:
		return 3
	case r.Count(suite.Fail, suite.Critical)+r.Count(suite.Fail, suite.High) > 0:
		return 2
	case r.Count(suite.Fail, "") > 0:
		return 1
	}
	return 0
}

// Line is one result for people, as it comes.
func Line(w io.Writer, r suite.Result) {
	reason, _, _ := strings.Cut(r.Reason, "\n")
	if r.Verdict == suite.Pass {
		reason = r.Case.Pass
	}
	fmt.Fprintf(w, "%-15s %-9s %-32s %s\n", r.Verdict, r.Case.Severity, r.ID, reason)
}

// Summary is the table of a run, by group.
func (r *Run) Summary(w io.Writer) {
	fmt.Fprintf(w, "\n%s, %s (%s), %s, in %v, browser: %s\n%-10s %5s %5s %5s %5s\n", r.Name, r.Version, r.Settings, r.Date, r.Took, r.Browser, "group", "pass", "fail", "n/a", "undec")
	for _, group := range suite.Groups {
		n := map[suite.Verdict]int{}
		for _, x := range r.Results {
			if x.Case.Group == group {
				n[x.Verdict]++
			}
		}
		if len(n) > 0 {
			fmt.Fprintf(w, "%-10s %5d %5d %5d %5d\n", group, n[suite.Pass], n[suite.Fail], n[suite.NotApplicable], n[suite.Undecided])
		}
	}
	fmt.Fprintf(w, "%-10s %5d %5d %5d %5d\n", "all", r.Count(suite.Pass, ""), r.Count(suite.Fail, ""), r.Count(suite.NotApplicable, ""), r.Count(suite.Undecided, ""))
	fmt.Fprintf(w, "failed: %d by a source, %d by an expectation\n", r.Count(suite.Fail, "")-r.Expected(), r.Expected())
	fmt.Fprintf(w, "failed: %d critical, %d high, %d medium, %d low\n", r.Count(suite.Fail, suite.Critical), r.Count(suite.Fail, suite.High), r.Count(suite.Fail, suite.Medium), r.Count(suite.Fail, suite.Low))
}

// Table is one line for each run.
func Table(w io.Writer, runs []*Run) {
	fmt.Fprintf(w, "\n%-20s %5s %5s %5s %5s   %-24s %s\n", "subject", "pass", "fail", "n/a", "undec", "by source, expectation", "critical, high, medium, low")
	for _, r := range runs {
		fail := r.Count(suite.Fail, "")
		fmt.Fprintf(w, "%-20s %5d %5d %5d %5d   %-24s %d, %d, %d, %d\n", r.Name, r.Count(suite.Pass, ""), fail, r.Count(suite.NotApplicable, ""), r.Count(suite.Undecided, ""),
			fmt.Sprintf("%d, %d", fail-r.Expected(), r.Expected()),
			r.Count(suite.Fail, suite.Critical), r.Count(suite.Fail, suite.High), r.Count(suite.Fail, suite.Medium), r.Count(suite.Fail, suite.Low))
	}
}

type jsonCase struct {
	suite.Result
	Group    string         `json:"group"`
	Severity suite.Severity `json:"severity"`
	Source   string         `json:"source"`
	Says     string         `json:"says"`
	Pass     string         `json:"pass"`
}

// JSON writes runs with what each case rests on.
func JSON(w io.Writer, runs []*Run) error {
	type run struct {
		*Run
		Results []jsonCase `json:"results"`
	}
	var all []run
	for _, r := range runs {
		one := run{Run: r}
		for _, x := range r.Results {
			one.Results = append(one.Results, jsonCase{x, x.Case.Group, x.Case.Severity, x.Case.Source, x.Case.Says, x.Case.Pass})
		}
		all = append(all, one)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(all)
}

type junitCase struct {
	Name    string   `xml:"name,attr"`
	Class   string   `xml:"classname,attr"`
	Seconds float64  `xml:"time,attr"`
	Failure *message `xml:"failure"`
	Skipped *message `xml:"skipped"`
	Error   *message `xml:"error"`
}

type message struct {
	Text string `xml:"message,attr"`
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

// JUnit writes runs as test suites.
func JUnit(w io.Writer, runs []*Run) error {
	all := struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []junitSuite
	}{}
	for _, r := range runs {
		s := junitSuite{Name: r.Name, Tests: len(r.Results), Failures: r.Count(suite.Fail, ""), Errors: r.Count(suite.Undecided, ""), Skipped: r.Count(suite.NotApplicable, "")}
		for _, x := range r.Results {
			c := junitCase{Name: x.ID, Class: r.Name + "." + x.Case.Group, Seconds: x.Took.Seconds()}
			m := &message{string(x.Case.Severity) + ": " + x.Reason}
			switch x.Verdict {
			case suite.Fail:
				c.Failure = m
			case suite.NotApplicable:
				c.Skipped = m
			case suite.Undecided:
				c.Error = m
			}
			s.Cases = append(s.Cases, c)
		}
		all.Suites = append(all.Suites, s)
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	return e.Encode(all)
}
