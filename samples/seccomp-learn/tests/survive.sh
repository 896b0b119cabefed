#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does a profile let the program live that it was learned from? Learns real
# programs, then runs each of them ROUNDS times under its profile, which kills,
# with all CPUs busy, and counts the runs in which a call was refused. Prints a
# table; a program that is not installed is a skip. Needs root for --via log;
# --via notify (VIA=notify) needs no privilege.
#
# Usage: survive.sh SECCOMP-LEARN [PROGRAM...]
#
#	ROUNDS=20		runs under the profile
#	LEARN='--stable 3'	options for learning
#	VIA=auto		how its calls are seen
#	BUSY=all		how many processes keep the CPUs busy
#	SMALL=1			less work for bash and python, where that is slow
#	KEEP=DIRECTORY		where the profiles and what was killed are kept
set -uo pipefail

if (($# < 1)) || [[ ! -x $1 ]]; then
	echo "usage: $0 SECCOMP-LEARN [PROGRAM...]" >&2
	exit 2
fi
learn=$(realpath "$1")
shift
rounds=${ROUNDS:-20}
via=${VIA:-auto}
keep_busy=${BUSY:-$(nproc)}
read -ra options <<<"${LEARN---stable 3}"
# A limit that only a hang reaches.
limit=${LIMIT:-300}
keep=${KEEP:+$(realpath -m "$KEEP")}
export LC_ALL=C PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

work=$(mktemp -d)
chmod 755 "$work"
busy=()
server=
clean() {
	((${#busy[@]} == 0)) || kill "${busy[@]}" 2>/dev/null
	[[ -z $server ]] || kill "$server" 2>/dev/null
	cd / && rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM
cd "$work" || exit 2
export HOME=$work
keep=${keep:-$work/kept}
mkdir -p "$keep"

have() {
	local program
	for program; do
		command -v "$program" >/dev/null || { missing=$program; return 1; }
	done
}

# Each prepares what its program needs and sets `command`, or says what is
# missing. What runs must leave nothing behind, so that each run is the same.

program_bash() {
	cat >bash.sh <<-'END'
	for i in $(seq "$1"); do
		seq 2000 | sort -rn | awk '{ s += $1 } END { print s }' | tr 0-9 a-j >/dev/null
		find /etc -maxdepth 1 -type f 2>/dev/null | head -n 20 | xargs -n 5 ls -l | wc -l
	done
	(sleep 0.05 & wait)
	trap 'true' USR1; kill -USR1 $$
	read -r line < <(echo word); echo "$line"
	END
	command=(bash bash.sh ${SMALL:+1} 5)
}

program_python() {
	have python3 || return
	cat >python.py <<-'END'
	import subprocess, sys, threading, time
	much = int(sys.argv[1])
	# A child that ends while the main thread blocks signals, to start another,
	# interrupts a thread that sleeps.
	def work():
	    for _ in range(2 * much):
	        subprocess.run(["true"], timeout=60)
	        time.sleep(0.001)
	threads = [threading.Thread(target=work) for _ in range(6)]
	for thread in threads: thread.start()
	for _ in range(6 * much): subprocess.run(["true"])
	event = threading.Event()
	for thread in threads: thread.join(60)
	event.wait(0.01)
	END
	command=(python3 python.py ${SMALL:+1} 10)
}

program_node() {
	have node || return
	cat >node.js <<-'END'
	const { pbkdf2 } = require("crypto");
	const { Worker, isMainThread } = require("worker_threads");
	const fs = require("fs");
	if (isMainThread) {
	  for (let i = 0; i < 8; i++) pbkdf2("a", "b", 20000, 64, "sha512", () => {});
	  for (let i = 0; i < 20; i++) setTimeout(() => fs.readFile(__filename, () => {}), i * 10);
	  for (let i = 0; i < 2; i++) new Worker(__filename);
	} else {
	  let garbage = [];
	  for (let i = 0; i < 200000; i++) { garbage.push({ i }); if (i % 50000 == 0) garbage = []; }
	}
	END
	command=(node node.js)
}

program_java() {
	have java javac || return
	cat >Work.java <<-'END'
	import java.util.concurrent.*;
	public class Work {
	    public static void main(String[] args) throws Exception {
	        ExecutorService pool = Executors.newFixedThreadPool(4);
	        for (int n = 0; n < 40; n++)
	            pool.submit(() -> { byte[][] b = new byte[200][]; for (int i = 0; i < b.length; i++) b[i] = new byte[10000]; Thread.sleep(1); return b; });
	        pool.shutdown();
	        pool.awaitTermination(60, TimeUnit.SECONDS);
	    }
	}
	END
	javac Work.java || { missing="a javac that works"; return 1; }
	command=(java -Xmx64m -cp "$work" Work)
}

program_git() {
	have git || return
	cat >git.sh <<-'END'
	git init -q repo && cd repo
	git config user.name n && git config user.email e && git config gc.auto 0
	for i in 1 2 3; do
		echo "$i" >"file$i" && git add . && git commit -q -m "$i"
	done
	git checkout -q -b side && echo side >>file1 && git commit -q -a -m side
	git log --oneline | cat && git diff HEAD~1 | cat && git gc -q
	cd .. && git clone -q repo copy && git -C copy status --short
	rm -rf repo copy
	END
	command=(sh git.sh)
}

program_openssl() {
	have openssl || return
	cat >openssl.sh <<-'END'
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -subj /CN=a -days 1 2>err
	openssl speed -seconds 1 -bytes 1024 sha256 2>err
	openssl dgst -sha256 -sign key cert | openssl base64 >sig
	openssl enc -aes-256-cbc -pbkdf2 -pass pass:x -in cert | openssl enc -d -aes-256-cbc -pbkdf2 -pass pass:x >copy
	cmp cert copy
	END
	command=(sh openssl.sh)
}

program_curl() {
	have curl python3 || return
	cat >server.py <<-'END'
	import http.server, socketserver, os
	class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
	    request_queue_size = 64
	server = Server(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
	with open("port.new", "w") as port: port.write(str(server.server_address[1]))
	os.rename("port.new", "port")
	server.serve_forever()
	END
	rm -f port
	head -c 300000 /dev/zero >page
	python3 server.py 2>/dev/null &
	server=$!
	until [[ -s port ]]; do sleep 0.1; done
	command=(curl -s --parallel --parallel-max 8 "http://127.0.0.1:$(<port)/page?[1-40]" -o "$work/got.#1")
}

program_redis() {
	have redis-server redis-benchmark redis-cli || return
	cat >redis.sh <<-'END'
	rm -f socket dump.rdb
	redis-server --port 0 --unixsocket "$HOME/socket" --save '' --dir "$HOME" --logfile "$HOME/redis.log" &
	server=$!
	for i in 1 2 3 4 5 6 7 8 9; do [ -S socket ] || sleep 0.$i; done
	redis-benchmark -q -s "$HOME/socket" -n 3000 -c 20 -t set,get,lpush,lrange_100
	# What redis does with a save that is not done depends on how fast it is.
	redis-cli -s "$HOME/socket" bgsave
	for i in 1 2 3 4 5 6 7 8 9; do
		redis-cli -s "$HOME/socket" info | grep -q 'rdb_bgsave_in_progress:0' || sleep 0.$i
	done
	redis-cli -s "$HOME/socket" shutdown nosave || kill "$server"
	wait
	END
	command=(sh redis.sh)
}

program_nginx() {
	have nginx curl || return
	mkdir -p html logs
	head -c 200000 /dev/zero >html/page
	cat >nginx.conf <<-END
	user root;
	daemon off; worker_processes 2; pid $work/nginx.pid; error_log $work/logs/error;
	events { worker_connections 128; }
	http {
		access_log $work/logs/access; sendfile on; gzip on; gzip_types *; root $work/html;
		client_body_temp_path $work/logs/a; proxy_temp_path $work/logs/b; fastcgi_temp_path $work/logs/c;
		uwsgi_temp_path $work/logs/d; scgi_temp_path $work/logs/e;
		server { listen unix:$work/nginx.socket; }
	}
	END
	cat >nginx.sh <<-'END'
	rm -f nginx.socket
	nginx -p "$HOME" -c "$HOME/nginx.conf" &
	for i in 1 2 3 4 5 6 7 8 9; do [ -S nginx.socket ] || sleep 0.$i; done
	curl -s --parallel --parallel-max 16 --unix-socket nginx.socket 'http://a/page?[1-200]' -o /dev/null
	curl -s --compressed --unix-socket nginx.socket http://a/page -o /dev/null
	kill -QUIT $!
	wait
	END
	command=(sh nginx.sh)
}

program_postgres() {
	local bin
	for bin in /usr/lib/postgresql/*/bin; do :; done
	[[ -x $bin/postgres ]] || { missing=postgres; return 1; }
	have setpriv || return
	PATH=$bin:$PATH
	have pgbench || return
	as=(setpriv --reuid postgres --regid postgres --clear-groups)
	mkdir -p pg && chown postgres pg
	cat >pg.sh <<-'END'
	cd pg
	pg_ctl -s -w -D data -l log -o "-k $PWD -h ''" start
	pgbench -h "$PWD" -n -c 4 -j 2 -t 100 bench
	pg_ctl -s -w -D data -m fast stop
	END
	{
		"${as[@]}" initdb -D pg/data &&
		"${as[@]}" pg_ctl -s -w -D pg/data -l pg/log -o "-k $work/pg -h ''" start &&
		"${as[@]}" createdb -h "$work/pg" bench &&
		"${as[@]}" pgbench -h "$work/pg" -i -q bench
		"${as[@]}" pg_ctl -s -w -D pg/data -m fast stop
	} >pg.log 2>&1 || { missing="a database: $(tail -n 1 pg.log)"; return 1; }
	command=("${as[@]}" sh pg.sh)
}

# What a profile holds: the calls that were seen, and those put in beside.
count() {
	grep -c '"nr": ' "$1"
}

survive() {
	local name=$1 missing='' command=() profile=$keep/$1.json status killed=0 failed=0 i all implied
	if ! "program_$name"; then
		printf '%-10s SKIP: no %s\n' "$name" "$missing"
		skipped=$((skipped + 1))
		return
	fi
	timeout "$limit" "$learn" run --via "$via" "${options[@]}" --format json --force -o "$profile" \
		-- "${command[@]}" >out.log 2>"$keep/$name.learn" </dev/null
	status=$?
	if ((status != 0)); then
		printf '%-10s FAIL: learning ended with %d: %s\n' "$name" "$status" "$(tail -n 1 "$keep/$name.learn")"
		bad=1
	else
		for ((i = 0; i < keep_busy; i++)); do
			(while :; do :; done) &
			busy+=($!)
		done
		: >"$keep/$name.killed"
		for ((i = 0; i < rounds; i++)); do
			timeout "$limit" "$learn" enforce --via "$via" "$profile" -- "${command[@]}" \
				>out.log 2>err.log </dev/null
			status=$?
			if ! grep -Eq 'refused: nothing|nothing was refused' err.log; then
				killed=$((killed + 1))
				tail -n 1 err.log >>"$keep/$name.killed"
			elif ((status != 0)); then
				failed=$((failed + 1))
				{ echo "status $status"; tail -n 5 err.log; } >>"$keep/$name.killed"
			fi
		done
		if ((keep_busy > 0)); then
			kill "${busy[@]}" 2>/dev/null
			wait "${busy[@]}" 2>/dev/null
			busy=()
		fi
		all=$(count "$profile")
		implied=$(grep -c '"implied": ' "$profile")
		printf '%-10s %8d %8d %5d of %d%s\n' "$name" $((all - implied)) "$implied" "$killed" "$rounds" \
			"$( ((failed == 0)) || echo ", $failed failed by themselves")"
		((killed == 0 && failed == 0)) || bad=1
	fi
	[[ -z $server ]] || kill "$server" 2>/dev/null
	server=
}

programs=(bash python node java git openssl curl redis nginx postgres)
(($# == 0)) || programs=("$@")
bad=0 skipped=0
printf '# via %s, options %s, %d rounds, %d CPUs busy\n' "$via" "${options[*]:-none}" "$rounds" "$keep_busy"
printf '%-10s %8s %8s %11s\n' program learned implied killed
for name in "${programs[@]}"; do
	survive "$name"
done
((skipped == 0)) || echo "# $skipped skipped"
exit "$bad"
