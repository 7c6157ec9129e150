package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// repository makes a git repository with n files and one commit.
func (b *bench) repository(n int) error {
	for i := range n {
		path := filepath.Join(b.dir, fmt.Sprintf("d%d", i/100), fmt.Sprintf("f%d", i))
		if i%100 == 0 {
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				return err
			}
		}
		if err := os.WriteFile(path, fmt.Appendf(nil, "file %d\n", i), 0o666); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(b.dir, ".gitignore"), []byte("logs/\n.work_dir/\n"), 0o666); err != nil {
		return err
	}
	_, err := b.time("sh", "-c", "git init -q && git add -A && git -c user.name=a -c user.email=a@example.org commit -q -m one")
	return err
}

// versions compares launches in a backup that is there with launches without one.
func versions(b *bench) (string, error) {
	if err := b.repository(100); err != nil {
		return "", err
	}
	if _, err := b.time(b.mlxp, "-q", "--vcs", "commit", "--", "true"); err != nil {
		return "", err
	}
	time.Sleep(3 * time.Second) // its files are of another second now
	var with, over []time.Duration
	for range 30 {
		kept, err := b.time(b.mlxp, "-q", "--vcs", "commit", "--", "true")
		if err != nil {
			return "", err
		}
		bare, err := b.time(b.mlxp, "-q", "--", "true")
		if err != nil {
			return "", err
		}
		with, over = append(with, kept), append(over, kept-bare)
	}
	return fmt.Sprintf("%.1f ms more (%.1f ms)", ms(median(over)), ms(median(with))), nil
}

// firstBackup compares the first launch at a commit with git worktree add.
func firstBackup(b *bench) (string, error) {
	if err := b.repository(10_000); err != nil {
		return "", err
	}
	var kept, plain []time.Duration
	for range 3 {
		d, err := b.time("git", "worktree", "add", "-q", "--detach", ".work_dir/plain")
		if err != nil {
			return "", err
		}
		plain = append(plain, d)
		if d, err = b.time(b.mlxp, "-q", "--vcs", "commit", "--", "true"); err != nil {
			return "", err
		}
		kept = append(kept, d)
		if _, err := b.time("sh", "-c", "git worktree remove --force .work_dir/plain && "+b.mlxp+" -q rm --yes --where true && "+b.mlxp+" -q gc --yes"); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%.2f s, %.2f times", median(kept).Seconds(), median(kept).Seconds()/median(plain).Seconds()), nil
}

// secondSnapshot times the snapshot of a tree that has barely changed.
func secondSnapshot(b *bench) (string, error) {
	if err := b.repository(100_000); err != nil {
		return "", err
	}
	change := func(text string) error {
		return os.WriteFile(filepath.Join(b.dir, "d0", "f0"), []byte(text), 0o666)
	}
	if err := change("one\n"); err != nil {
		return "", err
	}
	if _, err := b.time(b.mlxp, "-q", "--vcs", "snapshot", "--", "true"); err != nil {
		return "", err
	}
	if err := change("two\n"); err != nil {
		return "", err
	}
	// Its backup is there already: what is timed is the snapshot and the look into
	// the backup for changes.
	whole, err := b.time(b.mlxp, "-q", "--vcs", "snapshot", "--", "true")
	if err != nil {
		return "", err
	}
	again, err := b.time(b.mlxp, "-q", "--vcs", "snapshot", "--", "true")
	return fmt.Sprintf("%.2f s with its backup there (%.2f s with a new one)", again.Seconds(), whole.Seconds()), err
}
