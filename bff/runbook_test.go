package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestRunbook: every alert leads to its section of the runbook, and no section is left over.
func TestRunbook(t *testing.T) {
	rules, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	var alerts, sections []string
	for _, m := range regexp.MustCompile(`(?m)- alert: (\w+)`).FindAllStringSubmatch(string(rules), -1) {
		alerts = append(alerts, m[1])
		if !strings.Contains(string(rules), "runbook_url: docs/runbook.md#"+strings.ToLower(m[1])+"\n") {
			t.Errorf("%s has no runbook_url", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^## (\w+)$`).FindAllStringSubmatch(string(page), -1) {
		sections = append(sections, m[1])
	}
	if len(alerts) < 11 || !slices.Equal(alerts, sections) {
		t.Errorf("alerts %v\nsections %v", alerts, sections)
	}
}
