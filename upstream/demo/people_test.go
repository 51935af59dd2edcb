package demo_test

import (
	"os"
	"strings"
	"testing"

	"coatcheck/upstream/demo"
)

// TestPageKnowsThePeople: the demo's page fills in the same people.
func TestPageKnowsThePeople(t *testing.T) {
	page, err := os.ReadFile("../../web/demo/src/people.ts")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range demo.People() {
		if pair := `"` + p.Email + `", "` + p.Password + `"`; !strings.Contains(string(page), pair) {
			t.Errorf("web/demo/src/people.ts lacks %s", pair)
		}
	}
}

func TestPeopleAreTold(t *testing.T) {
	emails, perFrontend := map[string]bool{}, map[string]int{}
	for _, p := range demo.People() {
		if emails[p.Email] || p.ID == "" || p.Name == "" || p.Role == "" || len(p.Password) < 8 {
			t.Errorf("%+v", p)
		}
		emails[p.Email] = true
		if !p.Locked {
			perFrontend[p.Frontend]++
		}
	}
	if perFrontend["shop"] != 2 || perFrontend["admin"] != 2 {
		t.Errorf("people per frontend: %v", perFrontend)
	}
}
