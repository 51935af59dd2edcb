package server_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// TestReusePerson: with reuse: person, a connection to the API that was kept carries
// calls of one session, or of nobody's, and sign-ins have one of their own each.
func TestReusePerson(t *testing.T) {
	for _, reuse := range []string{"any", "person"} {
		t.Run(reuse, func(t *testing.T) {
			h := open(t, settings{edit: func(s string) string {
				return replaced(s, `url: "${API}"`, `url: "${API}"`+"\n    reuse: "+reuse)
			}})
			usual := h.api.Config.Handler
			var mu sync.Mutex
			served := map[string]map[string]bool{} // who was served, by the connection's address
			h.api.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				who := r.Header.Get("Authorization")
				if r.URL.Path == "/auth/login" {
					who = fmt.Sprintf("sign-in %p", r)
				}
				mu.Lock()
				if served[r.RemoteAddr] == nil {
					served[r.RemoteAddr] = map[string]bool{}
				}
				served[r.RemoteAddr][who] = true
				mu.Unlock()
				usual.ServeHTTP(w, r)
			})
			ada, eve := h.signIn("ada@x.test"), h.signIn("eve@x.test")
			for range 3 {
				h.want(h.call("GET /api/x", ada, sameOrign), 200, "")
				h.want(h.call("GET /api/x", eve, sameOrign), 200, "")
				h.want(h.call("GET /maybe/x", ada, sameOrign), 200, "")
				h.want(h.call("GET /maybe/x", sameOrign), 200, "")
				h.want(h.call("GET /open/x"), 200, "")
			}
			mu.Lock()
			defer mu.Unlock()
			shared := 0
			for _, who := range served {
				if len(who) > 1 {
					shared++
				}
			}
			if reuse == "person" && (shared > 0 || len(served) < 5) || reuse == "any" && shared == 0 {
				t.Errorf("%d connections of %d were shared: %v", shared, len(served), served)
			}
		})
	}
}
