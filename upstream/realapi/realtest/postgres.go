package realtest

import (
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Postgres runs an empty PostgreSQL and returns its address on 127.0.0.1, where anybody
// is the superuser postgres of the database postgres. The test is skipped without one.
func Postgres(t *testing.T) string {
	t.Helper()
	programs, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(programs) == 0 {
		t.Skip("no PostgreSQL here")
	}
	bin := filepath.Dir(programs[len(programs)-1])
	// Not t.TempDir: a socket's path is short, and postgres must get there.
	home, err := os.MkdirTemp("", "pg")
	Must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	as := owner(t, home)
	data := filepath.Join(home, "data")
	first := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-A", "trust", "-U", "postgres", "--no-sync")
	first.SysProcAttr = as
	if out, err := first.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	server := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", home, "-c", "listen_addresses=", "-c", "fsync=off")
	server.SysProcAttr = as
	Must(t, server.Start())
	t.Cleanup(func() { _ = server.Process.Signal(syscall.SIGQUIT); _ = server.Wait() })
	for until := time.Now().Add(time.Minute); exec.Command(filepath.Join(bin, "pg_isready"), "-q", "-h", home).Run() != nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("PostgreSQL does not start")
		}
	}
	return forward(t, filepath.Join(home, ".s.PGSQL.5432"))
}

// owner gives a folder to the user postgres, where the test is root, whom PostgreSQL
// refuses to serve.
func owner(t *testing.T, folder string) *syscall.SysProcAttr {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	postgres, err := user.Lookup("postgres")
	Must(t, err)
	uid, err := strconv.ParseUint(postgres.Uid, 10, 32)
	Must(t, err)
	gid, err := strconv.ParseUint(postgres.Gid, 10, 32)
	Must(t, err)
	Must(t, os.Chown(folder, int(uid), int(gid)))
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

// forward serves a Unix socket at an address of its own: PostgreSQL cannot choose a free
// port itself, and not every client knows Unix sockets.
func forward(t *testing.T, socket string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	Must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go pass(client, socket)
		}
	}()
	return listener.Addr().String()
}

func pass(client net.Conn, socket string) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	go func() { _, _ = io.Copy(server, client); _ = server.Close() }()
	_, _ = io.Copy(client, server)
	_ = server.Close()
}
