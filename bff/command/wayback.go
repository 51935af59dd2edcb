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

// wayBack is how the browser's way back is learnt.
type wayBack struct {
	redirectURI string
	// query of the address that the browser came back to.
	query <-chan string
	close func()
}

// wayBack listens, or reads what is pasted.
func (t ProviderTrial) wayBack(ctx context.Context) (*wayBack, error) {
	query := make(chan string, 1)
	if t.Paste {
		for _, r := range t.Config.Registrations() {
			if r.Provider == t.Provider && len(r.Redirect) > 0 {
				go func() { // ends with a line, or with the process
					line, _ := bufio.NewReader(io.LimitReader(t.In, 64<<10)).ReadString('\n')
					_, after, found := strings.Cut(strings.TrimSpace(line), "?")
					if !found {
						after = strings.TrimSpace(line)
					}
					query <- strings.SplitN(after, "#", 2)[0]
				}()
				return &wayBack{r.Redirect[0], query, func() {}}, nil
			}
		}
		return nil, errors.New("no frontend signs people in at this provider, so there is no redirect URI")
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", orDefault(t.Listen, "127.0.0.1:8765"))
	if err != nil {
		return nil, err
	}
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		_ = l.Close()
		return nil, errors.New("the address that the browser comes back to must be loopback")
	}
	path := "/bff/callback/" + url.PathEscape(t.Provider)
	web := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		if r.URL.Path != path || r.ParseForm() != nil {
			http.NotFound(w, r)
			return
		}
		select {
		case query <- r.Form.Encode():
		default: // it came already
		}
		_, _ = io.WriteString(w, "Back at Coatcheck. The terminal shows the result.\n")
	})}
	go func() { _ = web.Serve(l) }() // ends with close
	return &wayBack{"http://" + l.Addr().String() + path, query, func() {
		ending, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = web.Shutdown(ending) // the browser gets its page
	}}, nil
}

func orDefault(given, usual string) string {
	if given == "" {
		return usual
	}
	return given
}
