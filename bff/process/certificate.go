package process

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// certificateLook is how often, at most, the files are looked at for a change.
const certificateLook = 5 * time.Second

// certificate is the public listener's, reread when its files change. A pair that
// cannot be read leaves the old one in use.
type certificate struct {
	cert, key string
	log       *slog.Logger
	pair      atomic.Pointer[tls.Certificate]

	mu      sync.Mutex // guards what follows, while the files are read, too
	stamp   string     // of the files that pair came from
	lookAt  time.Time
	refused string // stamp of files that hold no pair: they are not read again
	said    string // why it was not reread, so that it is said once
}

func newCertificate(cert, key string, log *slog.Logger) (*certificate, error) {
	c := &certificate{cert: cert, key: key, log: log}
	use, err := c.prepare()
	if err != nil {
		return nil, err
	}
	use()
	return c, nil
}

// prepare reads the files, and returns what takes their pair into use.
func (c *certificate) prepare() (use func(), err error) {
	stamp := c.files() // before they are read: a change meanwhile is seen at the next look
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.use(&pair, stamp)
	}, nil
}

// files is a stamp that changes when one of the files does.
func (c *certificate) files() string {
	stamp := ""
	for _, name := range []string{c.cert, c.key} {
		if info, err := os.Stat(name); err == nil {
			stamp += fmt.Sprint(info.ModTime().UnixNano(), info.Size(), ";")
		}
	}
	return stamp
}

// get serves tls.Config.GetCertificate. One handshake looks at the files; those beside it do
// not wait for a disk that is slow.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c.mu.TryLock() {
		c.look(time.Now())
		c.mu.Unlock()
	}
	return c.pair.Load(), nil
}

// look looks at the files where it is time to; c.mu is held.
func (c *certificate) look(now time.Time) {
	if now.After(c.lookAt) {
		c.lookAt = now.Add(certificateLook)
		c.reread()
	}
}

// reread takes a changed pair into use; c.mu is held.
func (c *certificate) reread() {
	stamp := c.files()
	if stamp == c.stamp || stamp == c.refused {
		return
	}
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		c.refuse(stamp, err)
		return
	}
	c.use(&pair, stamp)
	c.log.Info("certificate reread")
}

// use takes a pair into use; c.mu is held.
func (c *certificate) use(pair *tls.Certificate, stamp string) {
	c.pair.Store(pair)
	c.stamp, c.refused, c.said = stamp, "", ""
}

// refuse leaves the old pair in use; c.mu is held. Files that could not be read at all are
// read again at the next look, changed or not: descriptors that run out for a moment must
// not leave the old certificate in use until it expires.
func (c *certificate) refuse(stamp string, err error) {
	if at := (*fs.PathError)(nil); !errors.As(err, &at) {
		c.refused = stamp
	}
	if said := stamp + err.Error(); c.said != said {
		c.said = said
		c.log.Error("certificate not reread, the old one stays", "error", err)
	}
}
