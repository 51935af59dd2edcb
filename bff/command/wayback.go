package command

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxAnswer bounds what a browser brings back, in bytes.
const maxAnswer = 64 << 10

// wayBack is how the browser's way back is learnt.
type wayBack struct {
	redirectURI string
	// query of the address that the browser came back to.
	query <-chan string
	close func()
}

// wayBack listens, or reads what is pasted.
func (t ProviderTrial) wayBack(ctx context.Context) (*wayBack, error) {
	if t.Paste {
		return t.pasted()
	}
	return t.listened(ctx)
}

// pasted reads the address from the terminal: the redirect URI is one of the configuration,
// where another program answers.
func (t ProviderTrial) pasted() (*wayBack, error) {
	for _, r := range t.Config.Registrations() {
		if r.Provider != t.Provider || len(r.Redirect) == 0 {
			continue
		}
		query := make(chan string, 1)
		go func() { // ends with a line, or with the process
			line, _ := bufio.NewReader(io.LimitReader(t.In, maxAnswer)).ReadString('\n')
			query <- queryIn(strings.TrimSpace(line))
		}()
		return &wayBack{r.Redirect[0], query, func() {}}, nil
	}
	return nil, errors.New("no frontend signs people in at this provider, so there is no redirect URI")
}

// queryIn is the query of an address, or what was pasted where it is a query alone.
func queryIn(pasted string) string {
	if _, query, found := strings.Cut(pasted, "?"); found {
		pasted = query
	}
	query, _, _ := strings.Cut(pasted, "#")
	return query
}

// listened waits for the browser at an address of this machine.
func (t ProviderTrial) listened(ctx context.Context) (*wayBack, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", orDefault(t.Listen, "127.0.0.1:8765"))
	if err != nil {
		return nil, err
	}
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		_ = l.Close()
		return nil, errors.New("the address that the browser comes back to must be loopback")
	}
	path, query := "/bff/callback/"+url.PathEscape(t.Provider), make(chan string, 1)
	web := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: callbackPage(path, query)}
	go func() { _ = web.Serve(l) }() // ends with close
	return &wayBack{"http://" + l.Addr().String() + path, query, func() {
		ending, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = web.Shutdown(ending) // the browser gets its page
	}}, nil
}

// callbackPage hands on what the browser brings to path: the first of it only.
func callbackPage(path string, query chan<- string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		r.Body = http.MaxBytesReader(w, r.Body, maxAnswer)
		if r.URL.Path != path || r.ParseForm() != nil {
			http.NotFound(w, r)
			return
		}
		select {
		case query <- r.Form.Encode():
		default: // it came already
		}
		_, _ = io.WriteString(w, "Back at Coatcheck. The terminal shows the result.\n")
	}
}

func orDefault(given, usual string) string {
	if given == "" {
		return usual
	}
	return given
}
