package session

import (
	"errors"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"coatcheck/bff/credential"
)

// StoreOptions are what a store needs besides its URL.
type StoreOptions struct {
	// Log hears of the connection's troubles [nobody].
	Log *slog.Logger

	// Now is the clock of a store in this process [time.Now].
	Now func() time.Time

	// MaxBytes bounds a store in this process, in bytes [256 MiB]. Sign-ins are
	// refused from seven eighths of it; the rest is for people who are in, whose
	// records may grow. Nobody is thrown out, and what people who are in need is
	// kept even beyond the bound.
	MaxBytes int64

	// Observe hears of each question to the store [nobody].
	Observe Observer
}

// address is a store's URL, taken apart.
type address struct {
	kind     string // memory, file, single, sentinel, cluster
	tls      bool
	hosts    []string
	path     string // of the file
	master   string // name of the master that the sentinels know
	db       int
	username string
	password credential.Secret
	query    map[string]string
}

// schemes are the kinds of store and whether they are spoken to with TLS.
var schemes = map[string]address{
	"memory":          {kind: "memory"},
	"file":            {kind: "file"},
	"redis":           {kind: "single"},
	"rediss":          {kind: "single", tls: true},
	"redis-sentinel":  {kind: "sentinel"},
	"rediss-sentinel": {kind: "sentinel", tls: true},
	"redis-cluster":   {kind: "cluster"},
	"rediss-cluster":  {kind: "cluster", tls: true},
}

// storeParameters are what may stand behind "?" of a Redis URL.
var storeParameters = map[string]bool{
	"ca": true, "cert": true, "key": true, "server_name": true, // TLS
	"sentinel_username": true, "sentinel_password": true,
}

// CheckStoreURL reports what is wrong with a store's URL, without the network.
// Its error never contains the URL, in which a password may stand.
func CheckStoreURL(store credential.Secret) error {
	_, err := parseStoreURL(store)
	return err
}

// OpenStore makes the store that a URL names:
//
//	memory://                                        in this process, gone with it
//	file:///var/lib/coatcheck/sessions.db            in this process and a file
//	redis://user:password@host:6379/0                one Redis
//	redis-sentinel://user:password@h1,h2/mymaster/0  the master that sentinels name
//	redis-cluster://user:password@h1,h2              a Redis Cluster
//
// With rediss, rediss-sentinel and rediss-cluster the connection is TLS; the
// parameters ca, cert, key (files) and server_name belong to it. Sentinels may
// have sentinel_username and sentinel_password of their own. Special characters
// in names and passwords are percent-encoded.
//
// A Redis is not asked yet and may be away.
func OpenStore(store credential.Secret, o StoreOptions) (Store, error) {
	a, err := parseStoreURL(store)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 256 << 20
	}
	opened, err := openAt(a, o)
	if err == nil && o.Observe != nil {
		opened = observed{opened, o.Observe}
	}
	return opened, err
}

func openAt(a *address, o StoreOptions) (Store, error) {
	switch a.kind {
	case "memory":
		return openMemory(o.Now, o.MaxBytes), nil
	case "file":
		return openFile(a.path, o)
	}
	return openRedis(a, o.Log)
}

func parseStoreURL(store credential.Secret) (*address, error) {
	scheme, rest, found := strings.Cut(store.Reveal(), "://")
	a, known := schemes[scheme]
	if !found || !known {
		return nil, errors.New("session: store: the URL must begin with memory://, file://, redis://, rediss://, redis-sentinel:// or redis-cluster://")
	}
	switch a.kind {
	case "memory":
		if rest != "" {
			return nil, errors.New("session: store: nothing may follow memory://")
		}
		return &a, nil
	case "file":
		a.path = rest
		if !filepath.IsAbs(rest) {
			return nil, errors.New("session: store: file:// needs an absolute path, as in file:///var/lib/coatcheck/sessions.db")
		}
		return &a, nil
	}
	return a.redis(rest)
}

// redis reads what follows the scheme: [user[:password]@]hosts[/…][?…]. It is
// not left to net/url, which knows one host only.
func (a address) redis(rest string) (*address, error) {
	rest, query, _ := strings.Cut(rest, "?")
	if err := a.parameters(query); err != nil {
		return nil, err
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		if err := a.user(rest[:i]); err != nil {
			return nil, err
		}
		rest = rest[i+1:]
	}
	hosts, path, _ := strings.Cut(rest, "/")
	for host := range strings.SplitSeq(hosts, ",") {
		if err := a.host(host); err != nil {
			return nil, err
		}
	}
	if a.kind == "single" && len(a.hosts) > 1 {
		return nil, errors.New("session: store: several hosts need redis-sentinel:// or redis-cluster://")
	}
	if err := a.place(path); err != nil {
		return nil, err
	}
	return &a, nil
}

func (a *address) user(userinfo string) error {
	name, password, _ := strings.Cut(userinfo, ":")
	name, err := url.PathUnescape(name)
	if err != nil {
		return errors.New("session: store: the user name is not percent-encoded well")
	}
	password, err = url.PathUnescape(password)
	if err != nil {
		return errors.New("session: store: the password is not percent-encoded well")
	}
	a.username, a.password = name, credential.NewSecret(password)
	return nil
}

func (a *address) host(host string) error {
	if host == "" || strings.ContainsAny(host, " \t") {
		return errors.New("session: store: an empty host name")
	}
	port := map[string]string{"single": "6379", "cluster": "6379", "sentinel": "26379"}[a.kind]
	name, given, err := net.SplitHostPort(host)
	switch {
	case err == nil:
		port = given
	case strings.Contains(err.Error(), "missing port"):
		name = strings.Trim(host, "[]")
	default:
		return errors.New("session: store: a host is not of the form name or name:port")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errors.New("session: store: a port is not a number from 1 to 65535")
	}
	a.hosts = append(a.hosts, net.JoinHostPort(name, port))
	return nil
}

// place reads what follows the hosts: a database, or a master's name and a
// database, or nothing.
func (a *address) place(path string) error {
	db := path
	if a.kind == "sentinel" {
		a.master, db, _ = strings.Cut(path, "/")
		if a.master == "" {
			return errors.New("session: store: redis-sentinel:// needs the master's name, as in redis-sentinel://h1,h2/mymaster")
		}
	}
	if db == "" {
		return nil
	}
	n, err := strconv.ParseUint(db, 10, 31)
	if err != nil || a.kind == "cluster" && n != 0 {
		return errors.New("session: store: the database is not a number, or not 0 in a cluster")
	}
	a.db = int(n)
	return nil
}

func (a *address) parameters(query string) error {
	a.query = map[string]string{}
	if query == "" {
		return nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("session: store: what follows the question mark cannot be read")
	}
	for name, value := range values {
		if !storeParameters[name] || len(value) != 1 {
			return errors.New("session: store: a parameter behind the question mark is unknown, or given twice")
		}
		a.query[name] = value[0]
	}
	return nil
}
