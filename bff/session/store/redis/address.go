package redis

import (
	"errors"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"coatcheck/bff/credential"
)

// address is a URL, taken apart.
type address struct {
	kind     string // single, sentinel, cluster
	tls      bool
	socket   bool // a Unix socket; its path is the one host
	hosts    []string
	master   string // name of the master that the sentinels know
	db       int
	username string
	password credential.Secret
	query    map[string]string
}

// schemes are the kinds of Redis and whether the connection is TLS.
var schemes = map[string]address{
	"redis":           {kind: "single"},
	"rediss":          {kind: "single", tls: true},
	"redis-sentinel":  {kind: "sentinel"},
	"rediss-sentinel": {kind: "sentinel", tls: true},
	"redis-cluster":   {kind: "cluster"},
	"rediss-cluster":  {kind: "cluster", tls: true},
	"unix":            {kind: "single", socket: true},
}

// longestSocket is the longest path of a Unix socket on Linux, in bytes (unix(7)).
const longestSocket = 107

// parameters are what may stand behind "?" of a Redis URL.
var parameters = map[string]bool{
	"ca": true, "cert": true, "key": true, "server_name": true, // TLS
	"sentinel_username": true, "sentinel_password": true,
}

// CheckURL reports what is wrong with a URL, without the network. Its error never
// contains the URL, in which a password may stand.
func CheckURL(url credential.Secret) error {
	_, err := parseURL(url)
	return err
}

// IsScheme reports whether a URL that begins with name and "://" is one of a Redis.
func IsScheme(name string) bool {
	_, known := schemes[name]
	return known
}

func parseURL(url credential.Secret) (*address, error) {
	scheme, rest, found := strings.Cut(url.Reveal(), "://")
	a, known := schemes[scheme]
	if !found || !known {
		return nil, errors.New("session: store: the URL must start with redis://, rediss://, redis-sentinel://, redis-cluster:// or unix://")
	}
	return a.redis(rest)
}

// redis reads what follows the scheme: [user[:password]@]hosts[/…][?…], or, for a
// socket, [user[:password]@]/path[?db=N]. It is not left to net/url, which knows one
// host only.
func (a address) redis(rest string) (*address, error) {
	rest, query, _ := strings.Cut(rest, "?")
	if err := a.readQuery(query); err != nil {
		return nil, err
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		if err := a.user(rest[:i]); err != nil {
			return nil, err
		}
		rest = rest[i+1:]
	}
	if a.socket {
		return &a, a.atSocket(rest)
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

// atSocket takes the path of a Unix socket. The client knows one by its slash.
func (a *address) atSocket(path string) error {
	if !strings.HasPrefix(path, "/") || strings.HasSuffix(path, "/") {
		return errors.New("session: store: unix:// needs the absolute path of a socket, as in unix:///run/redis/redis.sock")
	}
	if len(path) > longestSocket {
		return errors.New("session: store: the path of a Unix socket has at most 107 bytes")
	}
	a.hosts = []string{path}
	return a.place(a.query["db"])
}

func (a *address) user(userinfo string) error {
	name, password, _ := strings.Cut(userinfo, ":")
	name, err := url.PathUnescape(name)
	if err != nil {
		return errors.New("session: store: percent-encode special characters in the user name (@ is %40)")
	}
	password, err = url.PathUnescape(password)
	if err != nil {
		return errors.New("session: store: percent-encode special characters in the password (@ is %40)")
	}
	a.username, a.password = name, credential.NewSecret(password)
	return nil
}

func (a *address) host(host string) error {
	if host == "" || strings.ContainsAny(host, " \t") {
		return errors.New("session: store: host name missing")
	}
	port := map[string]string{"single": "6379", "cluster": "6379", "sentinel": "26379"}[a.kind]
	name, given, err := net.SplitHostPort(host)
	switch {
	case err == nil:
		port = given
	case strings.Contains(err.Error(), "missing port"):
		name = strings.Trim(host, "[]")
	default:
		return errors.New("session: store: not a host or host:port")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errors.New("session: store: invalid port: use a number from 1 to 65535")
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
		return errors.New("session: store: invalid database: use a number (in a cluster only 0)")
	}
	a.db = int(n)
	return nil
}

func (a *address) readQuery(query string) error {
	a.query = map[string]string{}
	if query == "" {
		return nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("session: store: could not parse the parameters after ?")
	}
	for name, value := range values {
		if !parameters[name] && !(a.socket && name == "db") {
			return errors.New("session: store: unknown parameter" + shownParameter(name, query) + "; known: " + strings.Join(slices.Sorted(maps.Keys(parameters)), ", "))
		}
		if len(value) != 1 {
			return errors.New("session: store: the parameter " + name + " is set twice")
		}
		a.query[name] = value[0]
	}
	return a.fits()
}

// fits refuses parameters that mean nothing here: who wrote them believes in something
// that does not happen.
func (a *address) fits() error {
	switch {
	case a.socket && a.query["ca"]+a.query["cert"]+a.query["key"]+a.query["server_name"] != "":
		return errors.New("session: store: a Unix socket has no TLS: remove ca, cert, key and server_name")
	case !a.tls && a.query["ca"]+a.query["cert"]+a.query["key"]+a.query["server_name"] != "":
		return errors.New("session: store: ca, cert, key and server_name need rediss://, rediss-sentinel:// or rediss-cluster://")
	case a.kind != "sentinel" && a.query["sentinel_username"]+a.query["sentinel_password"] != "":
		return errors.New("session: store: sentinel_username and sentinel_password need redis-sentinel:// or rediss-sentinel://")
	}
	return nil
}

// shownParameter is the name of a parameter for an error, unless it may be a part of a
// password with a raw question mark.
func shownParameter(name, query string) string {
	if strings.Contains(query, "@") || len(name) > 32 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_-") != "" {
		return ""
	}
	return " \"" + name + "\""
}
