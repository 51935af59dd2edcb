package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
)

const (
	rulesFile     = "../configs/deploy/prometheus/alerts.yaml"
	dashboardFile = "../configs/deploy/grafana/coatcheck.json"
)

// expressions are all queries of the dashboard, with Grafana's variables put in.
func expressions(t *testing.T) (list []string) {
	t.Helper()
	content, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(content, &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			list = append(list, strings.NewReplacer("$__rate_interval", "1m", "$frontend", ".*").Replace(target.Expr))
		}
	}
	if len(list) < 20 {
		t.Fatalf("only %d queries", len(list))
	}
	return list
}

// prometheus runs a real one that scrapes the targets and loads the shipped rules.
func prometheus(t *testing.T, targets ...string) string {
	t.Helper()
	dir, port := t.TempDir(), freeport.Text(t)
	rules, err := filepath.Abs(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("global: {scrape_interval: 200ms, evaluation_interval: 200ms}\nrule_files: [%q]\nscrape_configs: [{job_name: coatcheck, static_configs: [{targets: [%s]}]}]\n",
		rules, strings.Join(targets, ", "))
	file := filepath.Join(dir, "prometheus.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	rig.Start(t, nil, "prometheus", "--config.file="+file, "--storage.tsdb.path="+dir, "--web.listen-address=127.0.0.1:"+port, "--log.level=error")
	return "http://127.0.0.1:" + port
}

// query asks Prometheus; the number of series is the answer.
func query(t *testing.T, server, expr string) (series int, err error) {
	t.Helper()
	a, err := http.Get(server + "/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		return 0, err
	}
	defer a.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct{ Result []any }
	}
	if err := json.NewDecoder(a.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if answer.Status != "success" {
		return 0, fmt.Errorf("%s", answer.Error)
	}
	return len(answer.Data.Result), nil
}

// TestDashboardAndAlerts: a real Prometheus takes the alert rules, scrapes two built
// replicas, and answers every query of the dashboard; each metric that a query or a
// rule names is one that Coatcheck has, and the dashboard leaves none out.
func TestDashboardAndAlerts(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("promtool", "check", "rules", rulesFile).CombinedOutput(); err != nil {
		t.Errorf("promtool: %v: %s", err, out)
	}
	rules, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	queries := expressions(t)
	known, shown := map[string]bool{}, map[string]bool{}
	for _, d := range described() {
		known[d.Name] = true
	}
	suffix := regexp.MustCompile("_(bucket|count|sum)$")
	for _, text := range append(queries, string(rules)) {
		for _, name := range regexp.MustCompile("coatcheck_[a-z_]+").FindAllString(text, -1) {
			name = suffix.ReplaceAllString(name, "")
			if shown[name] = true; !known[name] {
				t.Errorf("there is no metric %s", name)
			}
		}
	}
	for name := range known {
		if !shown[name] {
			t.Errorf("%s is on no panel", name)
		}
	}
	f := newFleet(t, rig.Redis(t), "")
	p := f.signIn(f.replicas[0], "ada")
	server := prometheus(t, strings.TrimPrefix(f.replicas[0].admin, "http://"), strings.TrimPrefix(f.replicas[1].admin, "http://"))
	for _, expr := range []string{
		`sum(up{job="coatcheck"}) == 2`, `max(coatcheck_sessions_live) == 1`, `count(coatcheck_build_info) == 2`,
		`sum(rate(coatcheck_calls_total{frontend="app",route="/api/",class="2xx"}[1m])) > 0`,
		`histogram_quantile(0.99, sum by (le) (rate(coatcheck_call_own_seconds_bucket[1m]))) > 0`,
		`sum(rate(coatcheck_store_seconds_count{operation="load"}[1m])) > 0`,
	} {
		rig.Until(t, expr, func() bool {
			f.get(f.replicas[0], "/api/whoami", p)
			n, err := query(t, server, expr)
			return err == nil && n == 1
		})
	}
	for _, expr := range queries {
		if _, err := query(t, server, expr); err != nil {
			t.Errorf("%s: %v", expr, err)
		}
	}
	loaded, err := query(t, server, `count(ALERTS{alertname="CoatcheckStoreAway"})`)
	if err != nil || loaded != 0 {
		t.Errorf("an alert without a cause: %d, %v", loaded, err)
	}
	f.replicas[1].Process.Kill() //nolint:errcheck // it has ended then
	rig.Until(t, "the alert", func() bool {
		n, err := query(t, server, `ALERTS{alertname="CoatcheckDown"}`)
		return err == nil && n == 1
	})
}
