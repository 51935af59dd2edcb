package main_test

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// image opens the archive, which says what its container starts.
func image(t *testing.T) (v1.Image, v1.Config) {
	t.Helper()
	made, err := tarball.ImageFromPath(release(t)+".image.tar", nil)
	if err != nil {
		t.Fatal(err)
	}
	file, err := made.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return made, file.Config
}

// TestImageAsTheDockerfiles: an image made here starts the same, as the same user, as one
// made by an engine from either Dockerfile.
func TestImageAsTheDockerfiles(t *testing.T) {
	_, config := image(t)
	for _, name := range []string{"Dockerfile", "Dockerfile.release"} {
		said := lastStage(t, "../../"+name)
		if want := said["USER"]; config.User != want || strings.HasPrefix(want, "0") || want == "" {
			t.Errorf("user %q; %s says %q", config.User, name, want)
		}
		if _, ok := config.ExposedPorts[said["EXPOSE"]+"/tcp"]; !ok || len(config.ExposedPorts) != 1 {
			t.Errorf("ports %v; %s says %q", config.ExposedPorts, name, said["EXPOSE"])
		}
		for what, have := range map[string][]string{"ENTRYPOINT": config.Entrypoint, "CMD": config.Cmd} {
			if want := list(t, said[what]); !slices.Equal(have, want) || len(want) == 0 {
				t.Errorf("%s %q; %s says %q", what, have, name, want)
			}
		}
		health := config.Healthcheck
		options, command, _ := strings.Cut(said["HEALTHCHECK"], " CMD ")
		if have := "--interval=" + health.Interval.String() + " --timeout=" + health.Timeout.String() + " --start-period=" + health.StartPeriod.String(); have != options || !slices.Equal(health.Test[1:], list(t, command)) {
			t.Errorf("health check %s %q; %s says %q", have, health.Test, name, said["HEALTHCHECK"])
		}
		labels := 0
		for label, value := range config.Labels {
			if strings.Contains(said["LABEL"], label+`="`+value+`"`) {
				labels++
			} else if label != "org.opencontainers.image.version" {
				t.Errorf("%s has no label %s=%q", name, label, value)
			}
		}
		if want := strings.Count(said["LABEL"], "="); labels != want || want == 0 {
			t.Errorf("%d labels; %s has %d", labels, name, want)
		}
	}
}

// lastStage is the instructions of a Dockerfile's last stage, by name.
func lastStage(t *testing.T, name string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", "")) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if instruction == "FROM" {
			clear(said)
		}
		said[instruction] = rest
	}
	return said
}

// list reads the JSON form of an instruction.
func list(t *testing.T, text string) (words []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &words); err != nil {
		t.Errorf("%v: %s", err, text)
	}
	return words
}

// TestImageStarts: the image's layers, unpacked, are a root file system in which the
// program starts as the image's user and is healthy by the image's own health check; they have
// the certificate authorities. A test that is not root cannot change the root of a
// process: the program then starts from its folder.
func TestImageStarts(t *testing.T) {
	made, config := image(t)
	root := t.TempDir()
	unpack(t, mutate.Extract(made), root)
	api := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(api.Close)
	port, admin := freeport.Text(t), freeport.Text(t)
	at := filepath.Join(root, config.Cmd[len(config.Cmd)-1])
	if err := os.WriteFile(at, []byte(strings.NewReplacer("PORT", port, "ADMIN", admin, "API", api.URL, "KEY", rig.Key).Replace(mounted)), 0o644); err != nil {
		t.Fatal(err)
	}
	started := inside(root, config, config.Cmd...)
	var log rig.Buffer
	started.Stdout, started.Stderr = &log, &log
	if err := started.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- started.Wait() }() // until the program is told to end
	t.Cleanup(func() { _ = started.Process.Kill() })
	rig.Until(t, "readiness", func() bool {
		select {
		case err := <-ended:
			t.Fatalf("%v\n%s", err, log.String())
		default:
		}
		return rig.Status("http://127.0.0.1:"+admin+"/readyz") == http.StatusOK
	})
	check := inside(root, config, append(slices.Clone(config.Healthcheck.Test[2:]), "--admin", "http://127.0.0.1:"+admin)...)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("health check: %v\n%s", err, out)
	}
	if answer, err := http.Get("http://127.0.0.1:" + port + "/bff/session"); err != nil {
		t.Error(err)
	} else if _ = answer.Body.Close(); answer.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("a call to a host that is not configured was answered with %s", answer.Status)
	}
	_ = started.Process.Signal(syscall.SIGTERM)
	if err := <-ended; err != nil {
		t.Errorf("%v\n%s", err, log.String())
	}
}

const mounted = `listen: "127.0.0.1:PORT"
admin: {listen: "127.0.0.1:ADMIN"}
sessions: {store: "memory://", keys: [KEY]}
upstreams:
  api:
    url: API
    login:
      request: {path: /login, body: {email: "{email}", password: "{password}"}}
      credential: {access_token: /access_token}
      user: {from: response, at: /user}
frontends:
  shop:
    origins: ["https://shop.example.com"]
    login: {upstream: api, fields: [email, password], expose: [id]}
    routes: [{path: /api/, upstream: api}]
`

// inside is a command of the image, in its root file system and as its user where this
// process may do that.
func inside(root string, config v1.Config, args ...string) *exec.Cmd {
	command := exec.Command(config.Entrypoint[0], args...)
	command.Env, command.Dir = config.Env, "/"
	if os.Geteuid() == 0 {
		command.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		return command
	}
	command.Path = filepath.Join(root, command.Path)
	for i, arg := range command.Args[1:] {
		if strings.HasPrefix(arg, "/etc/") {
			command.Args[i+1] = filepath.Join(root, arg)
		}
	}
	return command
}

// unpack writes an image's files below root, and holds what must be among them.
func unpack(t *testing.T, files io.ReadCloser, root string) {
	t.Helper()
	defer files.Close()
	want := map[string]string{"coatcheck": "\x7fELF", "etc/ssl/certs/ca-certificates.crt": "-----BEGIN CERTIFICATE-----", "etc/passwd": "root:"}
	// The folders a test makes are for its owner alone; the image's user walks them, too.
	for dir := root; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		_ = os.Chmod(dir, 0o755)
	}
	for r := tar.NewReader(files); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		at, mode := filepath.Join(root, header.Name), header.FileInfo().Mode()
		if header.Typeflag == tar.TypeDir {
			err = os.MkdirAll(at, mode.Perm())
		} else {
			var content []byte
			if content, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(at, content, mode.Perm())
			}
			if begin, ok := want[header.Name]; ok && strings.HasPrefix(string(content), begin) {
				delete(want, header.Name)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if mode.Perm()&0o022 != 0 && header.Name != "tmp" || header.Uid != 0 && header.Name != "home/nonroot" || !header.ModTime.Equal(time.Unix(0, 0)) {
			t.Errorf("%s: %s, owned by %d, of %s", header.Name, mode, header.Uid, header.ModTime)
		}
	}
	if len(want) > 0 {
		t.Errorf("missing or not what they should be: %v", want)
	}
}
