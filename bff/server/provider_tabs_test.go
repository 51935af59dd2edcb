package server_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/rig"
	"coatcheck/upstream/demo/provider"
)

// comeBack lets every way back through at the same time, and returns the answers.
func comeBack(houses []*house, ways []*url.URL, headers ...string) []answer {
	answers := make([]answer, len(ways))
	var all sync.WaitGroup
	for i, to := range ways {
		all.Go(func() {
			answers[i] = houses[i%len(houses)].call("GET "+to.RequestURI(), append([]string{"Sec-Fetch-Site: cross-site", navigate, document, html_}, headers...)...)
		})
	}
	all.Wait()
	return answers
}

// sessionCookie is the session's cookie that an answer sets; empty: it sets none.
func sessionCookie(a answer) string {
	for _, line := range a.Header["Set-Cookie"] {
		if pair, _, _ := strings.Cut(line, ";"); !strings.Contains(pair, "-login=") {
			return "Cookie: " + pair
		}
	}
	return ""
}

// TestTabsShareASession: tabs that come back in the same moment, at whatever replica, set
// the same cookie; there is one session, and a sign-out ends it for all of them.
func TestTabsShareASession(t *testing.T) {
	var a *atProvider
	var second *house
	var cookie string
	inTime(t, func() (late bool, fault string) {
		a = openAtProviderOf(t, provider.Options{}, func(yaml string) string { return replaced(yaml, `"${STORE}"`, `"`+redisURL+`"`) })
		second = &house{t: t, api: a.api, logs: new(rig.Buffer)}
		second.build(a.config)
		first, browser := a.begin("?return_to=/1")
		ways := []*url.URL{a.browse(first, "ada@id.test")}
		for range 11 {
			next, _ := a.begin("?return_to=/n", browser)
			ways = append(ways, a.browse(next, "ada@id.test")) // each a session of its own at the provider
		}
		begun := time.Now()
		answers := comeBack([]*house{a.house, second}, ways, browser)
		late = time.Since(begun) >= 2*time.Second // which is how long a tab waits for another
		cookie = sessionCookie(answers[0])
		for i, got := range answers {
			if got.StatusCode != 200 || sessionCookie(got) != cookie || cookie == "" {
				fault = fmt.Sprintf("tab %d: %d %v", i, got.StatusCode, got.Header["Set-Cookie"])
			}
		}
		return late, fault
	})
	a.want(a.call("GET /api/x", shop, cookie), 200, "")
	if got := a.call("GET /bff/sessions", shop, cookie); strings.Count(got.body, `"id"`) != 1 {
		t.Errorf("sessions: %s", got.body)
	}
	a.want(a.call("POST /bff/logout", shop, xcsrf, cookie), 200, "")
	for _, h := range []*house{a.house, second} {
		h.want(h.call("GET /bff/sessions", shop, cookie), 401, "session_expired")
	}
}

// TestTabsThatDoNotShare: another person, a sign-in anew and a stronger one replace the
// session of a moment ago; one that has ended is nobody's.
func TestTabsThatDoNotShare(t *testing.T) {
	a := openAtProvider(t, nil)
	for name, row := range map[string]struct {
		query, email string
		before       func(cookie string) (header string)
	}{
		"another person":                {"", "bob@id.test", nil},
		"stronger":                      {"?max_age=600", "ada@id.test", nil},
		"a new sign-in at the provider": {"?prompt=login", "ada@id.test", nil},
		"begun by who is signed in":     {"", "ada@id.test", func(cookie string) string { return cookie }},
		"the other one has ended": {"", "ada@id.test", func(cookie string) string {
			a.want(a.call("POST /bff/logout", shop, xcsrf, cookie), 200, "")
			return ""
		}},
	} {
		address, browser := a.begin("")
		got := a.back(a.browse(address, "ada@id.test"), browser)
		old, header := sessionCookie(got), ""
		if row.before != nil {
			header = row.before(old)
		}
		login := a.call("GET /bff/login"+row.query, navigate, document, html_, strings.TrimSuffix(browser+"; "+strings.TrimPrefix(header, "Cookie: "), "; "))
		got = a.back(a.browse(login.Header.Get("Location"), row.email), browser)
		fresh := sessionCookie(got)
		if got.StatusCode != 200 || fresh == "" || fresh == old {
			t.Errorf("%s: %d %v", name, got.StatusCode, got.Header["Set-Cookie"])
			continue
		}
		a.want(a.call("GET /bff/sessions", shop, fresh), 200, "")
		a.want(a.call("GET /bff/sessions", shop, old), 401, "session_expired")
		a.want(a.call("POST /bff/logout", shop, xcsrf, fresh), 200, "")
	}
}

// TestTabsAndBackChannel: a session that tabs share ends with either of the provider's
// sessions that they came back with.
func TestTabsAndBackChannel(t *testing.T) {
	for _, last := range []bool{false, true} {
		a := openAtProvider(t, nil)
		one, browser := a.begin("")
		ways := []*url.URL{a.browse(one, "ada@id.test")}
		first := a.provider.Sessions()
		two, _ := a.begin("", browser)
		ways = append(ways, a.browse(two, "ada@id.test"))
		second := slices.DeleteFunc(a.provider.Sessions(), func(id string) bool { return id == first[0] })
		if len(first) != 1 || len(second) != 1 {
			t.Fatalf("sessions at the provider: %q %q", first, second)
		}
		var cookie string
		for _, to := range ways {
			cookie = sessionCookie(a.back(to, browser))
		}
		a.want(a.call("GET /bff/sessions", shop, cookie), 200, "")
		ends := first[0]
		if last {
			ends = second[0]
		}
		a.want(a.postLogout(a.provider.LogoutToken("coatcheck", "p-ada", ends, "logout+jwt", nil)), 200, "")
		a.want(a.call("GET /bff/sessions", shop, cookie), 401, "session_expired")
	}
}

// postLogout posts a logout token as the provider does.
func (a *atProvider) postLogout(token string) answer {
	a.t.Helper()
	return a.call("POST /bff/backchannel-logout/id\n\nlogout_token="+token, "Content-Type: application/x-www-form-urlencoded")
}
