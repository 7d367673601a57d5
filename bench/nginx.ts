import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ANSWER_HEADERS, COMPLETION, UPSTREAM_KEY } from './messages.ts';

/** Writes a configuration into a folder of its own. @returns The command that runs it in the foreground. */
function nginxCommand(dir: string, http: string): string[] {
  mkdirSync(join(dir, 'tmp'), { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path tmp;`,
  );
  const text = `daemon off; pid nginx.pid; worker_processes 1; error_log error.log warn;
events { worker_connections 2048; }
http { access_log off; tcp_nodelay on; keepalive_timeout 75s; keepalive_requests 1000000000;
client_max_body_size 10m; default_type application/json; ${temporary.join(' ')}
${http}
}\n`;
  writeFileSync(join(dir, 'nginx.conf'), text);
  return ['nginx', '-p', `${dir}/`, '-c', 'nginx.conf', '-e', 'error.log'];
}

/** The upstream of the JSON measurements: a chat completion for the right key, 401 for any other. */
export function nginxUpstream(dir: string, port: number): string[] {
  const headers = Object.entries(ANSWER_HEADERS).map(([name, value]) => `add_header ${name} "${value}";`);
  return nginxCommand(
    dir,
    `server { listen 127.0.0.1:${port} backlog=1024; ${headers.join(' ')}
if ($http_authorization != "Bearer ${UPSTREAM_KEY}") { return 401; }
location / { return 200 '${COMPLETION}'; } }`,
  );
}

/** One hop that sets the header: each `from` port is passed on to the `to` port, over connections that stay open. */
export function nginxProxy(dir: string, roads: readonly { from: number; to: number }[]): string[] {
  const servers = roads.map(
    ({
      from,
      to,
    }) => `upstream to_${to} { server 127.0.0.1:${to}; keepalive 256; keepalive_requests 1000000000; }
server { listen 127.0.0.1:${from} backlog=1024; location / {
proxy_pass http://to_${to}; proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off;
proxy_set_header Connection ""; proxy_set_header Host $proxy_host;
proxy_set_header Authorization "Bearer ${UPSTREAM_KEY}"; } }`,
  );
  return nginxCommand(dir, servers.join('\n'));
}
