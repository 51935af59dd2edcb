package configs_test

import (
	"strings"
	"testing"
	"time"

	"coatcheck/bff/signature"
	"coatcheck/configs"
	"coatcheck/configs/read"
)

func TestProgramsNeedFewLinesAndNoStore(t *testing.T) {
	const file = "testdata/good/programs.yaml"
	c, faults := read.File(file, environment)
	if c == nil || len(faults) > 0 {
		t.Fatal(faults)
	}
	if lines := strings.Count(string(mustRead(t, file)), "\n"); lines >= 40 {
		t.Errorf("%d lines", lines)
	}
	if c.Sessions.Store.Reveal() != "memory://" || len(c.Sessions.Keys) != 1 {
		t.Errorf("store %q, %d keys", c.Sessions.Store.Reveal(), len(c.Sessions.Keys))
	}
	if again, _ := read.File(file, environment); again == nil || again.Sessions.Keys[0].Reveal() != c.Sessions.Keys[0].Reveal() {
		t.Error("a reload has another key: every account signs in anew")
	}
	door, excel, mail := c.Frontends["programs"], c.Callers["excel"], c.Callers["mail"]
	if !door.IsDoor() || door.Scheme() != "https" || door.Hosts()[0] != "programs.example.com" || door.Cookie.Name != "" {
		t.Errorf("%+v", door)
	}
	want := []configs.From{{Bearer: true}, {Basic: true}, {Header: "X-Api-Key"}}
	if excel.Kind() != configs.ByKey || len(excel.From) != 3 || excel.From[0] != want[0] || excel.From[1] != want[1] || excel.From[2] != want[2] {
		t.Errorf("%+v", excel)
	}
	if excel.Limit.Per != time.Minute || excel.Limit.Burst != 100 || mail.From != nil || mail.Kind() != configs.BySignature {
		t.Errorf("%+v %+v", excel.Limit, mail)
	}
	if r := c.Upstreams["api"].Accounts["reports"].Login; r.Request.Method != "POST" || len(r.Rejected) != 4 {
		t.Errorf("%+v", r)
	}
	if v, faults := signature.Compile(mail.Scheme("mail")); v == nil || len(faults) > 0 {
		t.Error(faults)
	}
}

// A brace in a secret opens no name, whatever stands behind it.
func TestBracesInVariablesArePlain(t *testing.T) {
	content := strings.Replace(string(mustRead(t, "testdata/good/programs.yaml")), `once: "{id}"`, `once: "{id}"
      admit: [{at: {header: X}, is: "${WORD}"}]`, 1)
	c, faults := parse(content, map[string]string{"WORD": "{body}{"})
	if c == nil {
		t.Fatal(faults)
	}
	if got := c.Callers["mail"].Signature[0].Admit[0].Is.Values[0]; got != "{{body}{{" {
		t.Errorf("%q", got)
	}
}

// What a signature's key is does not stand in a fault.
func TestFaultsOfSchemesHoldNoKeys(t *testing.T) {
	content := strings.Replace(string(mustRead(t, "testdata/good/programs.yaml")), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_m4rk3d!", 1)
	c, faults := parse(content, nil)
	if c != nil || len(faults) == 0 {
		t.Fatal("taken")
	}
	for _, f := range faults {
		if strings.Contains(f.String(), "m4rk3d") {
			t.Error(f)
		}
	}
}

func TestWhatTheServerIsGiven(t *testing.T) {
	content := strings.Replace(string(mustRead(t, "testdata/good/programs.yaml")), "    account: reports\n", "    account: reports\n    from: [basic, {header: X-Api-Key}, {query: api_key}]\n", 1)
	c, faults := parse(content, nil)
	if c == nil {
		t.Fatal(faults)
	}
	hashes := c.KeyHashes()
	if len(hashes) != 1 {
		t.Errorf("%d hashes", len(hashes))
	}
	for hash, name := range hashes {
		if hash[0] != 0x9f || hash[31] != 0x08 || name != "excel" {
			t.Errorf("%x of %s", hash, name)
		}
	}
	p := c.KeyPlaces(c.Frontends["programs"].Routes[0])
	if p.Bearer || !p.Basic || strings.Join(p.Headers, " ") != "X-Api-Key" || strings.Join(p.Queries, " ") != "api_key" {
		t.Errorf("%+v", p)
	}
	if p := c.KeyPlaces(c.Frontends["programs"].Routes[1]); p.Bearer || p.Basic || p.Headers != nil || p.Queries != nil {
		t.Errorf("a route without keys: %+v", p)
	}
	if limit, ok := c.Callers["excel"].Rate(); !ok || limit.Calls != 600 || limit.Per != time.Minute || limit.Burst != 100 {
		t.Errorf("%+v", limit)
	}
	if _, ok := c.Callers["mail"].Rate(); ok {
		t.Error("a bound that nobody gave")
	}
}
