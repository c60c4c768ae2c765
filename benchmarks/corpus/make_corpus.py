#!/usr/bin/env python3
"""Deterministic corpus generator for redaction benchmarks (stdlib only).

  gen.py OUT_PREFIX [--mb 20] [--rate 0.001] [--seed 7] [--transcripts 0.6]

writes OUT_PREFIX.txt (one record per line: Claude-Code / Codex JSONL transcript lines and app-log lines),
       OUT_PREFIX.truth.jsonl  one row per planted secret: line (0-based), kind, enc, secret, needle
           needle = the exact substring of that line that must be gone after redaction
           enc    = plain | json_in_json | base64 | url | unicode_escape | wrapped
and OUT_PREFIX.meta.json. Every secret is random and made here; none is a real credential.
Near-misses (git SHAs, UUIDs, sha512 integrity, ${VARS}, git@host, opaque signatures) are in the background."""
import argparse, base64, json, random, string, urllib.parse, zlib

ap = argparse.ArgumentParser()
ap.add_argument('prefix'); ap.add_argument('--mb', type=float, default=20); ap.add_argument('--rate', type=float, default=0.001)
ap.add_argument('--seed', type=int, default=7); ap.add_argument('--transcripts', type=float, default=0.6, help='share of BYTES that are transcript lines')
A = ap.parse_args()
R = random.Random(A.seed)
ALNUM = string.ascii_letters + string.digits; HEX = '0123456789abcdef'; UD = string.ascii_uppercase + string.digits
B64U = ALNUM + '-_'; DIG = string.digits
def r(alpha, n): return ''.join(R.choices(alpha, k=n))
def b62(n):
    s = ''
    while n: n, d = divmod(n, 62); s = (string.digits + string.ascii_uppercase + string.ascii_lowercase)[d] + s
    return s.rjust(6, '0')
def luhn(prefix, n):
    ds = prefix + r(DIG, n - len(prefix) - 1); tot = 0
    for i, c in enumerate(reversed(ds)):
        d = int(c) * (2 if i % 2 == 0 else 1); tot += d - 9 if d > 9 else d
    return ds + str(-tot % 10)
def iban():
    cc, body = 'DE', r(DIG, 18); num = int(body + ''.join(str(ord(c) - 55) for c in cc) + '00')
    return f'{cc}{98 - num % 97:02d}{body}'
def b64u(b): return base64.urlsafe_b64encode(b).decode().rstrip('=')
def ghp():
    x = r(ALNUM, 30); return 'ghp_' + x + b62(zlib.crc32(x.encode()))
def jwt():
    h = b64u(b'{"alg":"HS256","typ":"JWT"}'); p = b64u(json.dumps({'sub': r(DIG, 10), 'name': r(ALNUM, 8), 'iat': R.randint(1_600_000_000, 1_800_000_000)}).encode())
    return f'{h}.{p}.{r(B64U, 43)}'
def pem():
    body = '\n'.join(r(ALNUM + '+/', 64) for _ in range(6))
    p = 'PRIVATE'; return f'-----BEGIN RSA {p} KEY-----\n{body}\n-----END RSA {p} KEY-----'
def pw(): return r(ALNUM, 6) + R.choice('!#%*+') + r(ALNUM, 9)
# kind -> (maker, list of carrier templates with {s})
K = {
 'aws-access-key-id': (lambda: 'AKIA' + r('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16), ['AWS_ACCESS_KEY_ID={s}', 'key id {s} used']),
 'aws-secret-key': (lambda: r(ALNUM + '/+', 40), ['aws_secret_access_key = {s}', 'AWS_SECRET_ACCESS_KEY={s}']),
 'github-token': (ghp, ['git clone https://x-access-token:{s}@github.com/acme/app', 'GITHUB_TOKEN={s}', 'using {s}']),
 'github-fine-grained': (lambda: 'github_pat_' + r(ALNUM, 22) + '_' + r(ALNUM, 59), ['export GH_PAT={s}', 'header {s}']),
 'gitlab-pat': (lambda: 'glpat-' + r(B64U[:-2], 20), ['PRIVATE-TOKEN: {s}', '{s} expired']),
 'slack-token': (lambda: f'xoxb-{r(DIG,12)}-{r(DIG,12)}-{r(ALNUM,24)}', ['SLACK_BOT_TOKEN={s}', 'auth.test {s}']),
 'slack-webhook': (lambda: f'https://hooks.slack.com/services/T{r(UD,9)}/B{r(UD,9)}/{r(ALNUM,24)}', ['POST {s} 200']),
 'stripe-key': (lambda: 'sk_live_' + r(ALNUM, 24), ['STRIPE={s}', 'charge with {s} failed']),
 'google-api-key': (lambda: 'AIza' + r(B64U, 35), ['https://maps.googleapis.com/x?key={s}&v=3', 'key {s}']),
 'openai-key': (lambda: 'sk-proj-' + r(B64U[:-2], 74), ['OPENAI_API_KEY={s}', 'client = OpenAI(api_key="{s}")']),
 'anthropic-key': (lambda: 'sk-ant-api03-' + r(B64U[:-2], 93) + 'AA', ['ANTHROPIC_API_KEY={s}', 'x-api-key: {s}']),
 'huggingface-token': (lambda: 'hf_' + r(string.ascii_letters, 34), ['huggingface-cli login --token {s}']),
 'npm-token': (lambda: 'npm_' + r(ALNUM, 36), ['//npm.example.org/:_authToken={s}']),
 'pypi-token': (lambda: 'pypi-AgEIcHlwaS5vcmc' + r(B64U[:-2], 140), ['password = {s}', 'twine upload -p {s}']),
 'sendgrid-key': (lambda: f'SG.{r(B64U[:-2],22)}.{r(B64U[:-2],43)}', ['SENDGRID={s}']),
 'telegram-token': (lambda: f'{R.randint(10**8,10**10-1)}:AA{r(B64U[:-2],33)}', ['https://api.telegram.org/bot{s}/getMe', 'bot {s}']),
 'jwt': (jwt, ['Cookie: session={s}', 'id_token {s}']),
 'private-key': (pem, ['{s}']),
 'url-credentials': (lambda: f'postgresql://app:{r(ALNUM,16)}@db{R.randint(1,9)}.internal:5432/prod', ['DATABASE_URL={s}', 'connecting to {s}']),
 'bearer': (lambda: r(B64U[:-2], 40), ['Authorization: Bearer {s}', '-H "Authorization: Bearer {s}"']),
 'generic-password': (pw, ['db_password={s}', 'password: {s}', "secret = '{s}'"]),
 'email': (lambda: f'{R.choice(["anna","li.wei","j.ortiz","m_khan","sven"])}{R.randint(1,999)}@{R.choice(["corp-mail","northwind","fabrikam"])}.{R.choice(["com","de","io"])}', ['user {s} logged in', 'Author: Dev <{s}>']),
 'ssn': (lambda: f'{R.randint(101,665)}-{R.randint(10,99)}-{R.randint(1000,9999)}', ['ssn {s} on file']),
 'credit-card': (lambda: luhn(R.choice(['4', '51', '55']), 16), ['card {s} declined', 'pan={s}']),
 'iban': (iban, ['payout to {s}']),
}
W = ('the agent read file and found that parser returns none when input is empty so we add guard test fails because fixture path changed '
     'update config loader retry after timeout cache miss build target release branch merge rebase worker queue batch schema index commit '
     'stream buffer offset decode handler request response session trace span metric model token count limit window context prompt tool '
     'result stdout stderr exit code shell command patch apply diff hunk line column error warning info debug value list dict tuple string').split()
PATHS = ['src/parser/lexer.rs', 'tests/test_ingest.py', 'packages/core/src/index.ts', 'docs/architecture.md', 'cmd/server/main.go', 'lib/auth/session.py', 'infra/terraform/main.tf']
def words(a, b): return ' '.join(R.choices(W, k=R.randint(a, b)))
def ident(): return '_'.join(R.choices(W, k=R.randint(1, 3)))
def uuid(): return f'{r(HEX,8)}-{r(HEX,4)}-4{r(HEX,3)}-a{r(HEX,3)}-{r(HEX,12)}'
def ts(): return f'2026-{R.randint(1,12):02d}-{R.randint(1,28):02d}T{R.randint(0,23):02d}:{R.randint(0,59):02d}:{R.randint(0,59):02d}.{R.randint(0,999):03d}Z'
def decoy():
    return R.choice([lambda: 'commit ' + r(HEX, 40), lambda: '"integrity": "sha512-' + r(ALNUM + '+/', 86) + '=="', lambda: 'password: ${{ secrets.DB_PASSWORD }}',
        lambda: 'token = get_token(request)', lambda: 'api_key=os.environ["API_KEY"]', lambda: 'git@github.com:acme/app.git', lambda: uuid(),
        lambda: 'sk-...', lambda: 'export TOKEN=<your-token>', lambda: f'max_tokens={R.randint(100,9000)}', lambda: 'sha256:' + r(HEX, 64), lambda: 'user@host:~$ ls',
        lambda: f'10.0.{R.randint(0,255)}.{R.randint(0,255)}:{R.randint(1000,9999)}', lambda: 'secret_count: 3', lambda: 'Bearer <token>'])()
def code():
    out = []
    for _ in range(R.randint(4, 26)):
        ind = '    ' * R.randint(0, 3)
        out.append(ind + R.choice([lambda: f'def {ident()}({ident()}, {ident()}=None):', lambda: f'{ident()} = {ident()}.get("{ident()}", {R.randint(0,999)})',
            lambda: f'if {ident()} != "{R.choice(W)}":', lambda: f'return [{ident()} for {R.choice(W)} in {ident()}]', lambda: f'# {words(4,12)}',
            lambda: f'assert {ident()} == {R.randint(0,9999)}', lambda: f'let {ident()} = {ident()}::new(&{ident()})?;', lambda: f'import {{ {ident()} }} from "./{ident()}";', lambda: ''])())
    if R.random() < 0.25: out.insert(R.randrange(len(out)), '    # ' + decoy())
    return '\n'.join(out)
def toolout():
    k = R.random()
    if k < 0.35: return code()
    if k < 0.55: return '\n'.join(f'{R.choice(PATHS)}:{R.randint(1,900)}:{R.randint(1,80)}: {words(4,12)}' for _ in range(R.randint(3, 30)))
    if k < 0.7: return '\n'.join(f'drwxr-xr-x {R.randint(1,20)} root root {R.randint(100,99999)} Nov {R.randint(1,28)} 10:{R.randint(10,59)} {ident()}' for _ in range(R.randint(5, 30)))
    if k < 0.85: return f'diff --git a/{R.choice(PATHS)} b/{R.choice(PATHS)}\nindex {r(HEX,7)}..{r(HEX,7)} 100644\n' + '\n'.join(R.choice('+- ') + l for l in code().split('\n'))
    return '\n'.join(f'test {ident()}::{ident()} ... ok' for _ in range(R.randint(5, 40))) + '\n' + decoy()
SID = [uuid() for _ in range(40)]
def J(o): return json.dumps(o, separators=(',', ':'), ensure_ascii=False)
def tline(payload_text=None, args_text=None):
    """one transcript line; payload_text goes to a decoded string field, args_text into a JSON-in-JSON arguments string"""
    k = R.random(); sid = R.choice(SID)
    txt = toolout() if R.random() < 0.7 else words(20, 200)
    if payload_text is not None:
        ls = txt.split('\n'); ls.insert(R.randrange(len(ls) + 1), payload_text); txt = '\n'.join(ls)
    if args_text is not None: k = 0.95
    base = {'parentUuid': uuid(), 'isSidechain': False, 'userType': 'external', 'cwd': '/workspace/app', 'sessionId': sid, 'version': '2.1.230', 'gitBranch': 'main'}
    if k < 0.3: return J({**base, 'type': 'user', 'message': {'role': 'user', 'content': [{'tool_use_id': 'toolu_' + r(ALNUM, 24), 'type': 'tool_result', 'content': txt}]}, 'uuid': uuid(), 'timestamp': ts(), 'toolUseResult': {'stdout': txt[:400] if payload_text is None else '', 'stderr': '', 'interrupted': False}})
    if k < 0.5: return J({**base, 'type': 'assistant', 'message': {'id': 'msg_' + r(ALNUM, 24), 'type': 'message', 'role': 'assistant', 'model': 'claude-x', 'content': [{'type': 'thinking', 'thinking': words(10, 60), 'signature': r(ALNUM + '+/', R.randint(200, 700)) + '='}, {'type': 'text', 'text': txt}], 'usage': {'input_tokens': R.randint(1, 99999), 'output_tokens': R.randint(1, 9999)}}, 'uuid': uuid(), 'timestamp': ts()})
    if k < 0.75: return J({'timestamp': ts(), 'type': 'response_item', 'payload': {'type': 'function_call_output', 'call_id': 'call_' + r(ALNUM, 24), 'output': 'Exit code: 0\nWall time: 0.4 seconds\nOutput:\n' + txt}})
    if k < 0.85: return J({'timestamp': ts(), 'type': 'event_msg', 'payload': {'type': 'agent_message', 'message': txt}})
    a = args_text if args_text is not None else f'sed -n {R.randint(1,200)},{R.randint(201,400)}p {R.choice(PATHS)} && rg -n "{ident()}" src'
    if payload_text is not None: a += '\n' + payload_text
    return J({'timestamp': ts(), 'type': 'response_item', 'payload': {'type': 'function_call', 'name': 'shell', 'arguments': json.dumps({'command': ['bash', '-lc', a], 'workdir': '/workspace/app'}), 'call_id': 'call_' + r(ALNUM, 24)}})
def lline(extra=None):
    k = R.random(); e = (' ' + extra) if extra else (' ' + decoy() if R.random() < 0.02 else '')
    if k < 0.3: return f'10.1.{R.randint(0,255)}.{R.randint(0,255)} - - [22/Nov/2026:10:{R.randint(10,59)}:{R.randint(10,59)} +0000] "{R.choice(["GET","POST"])} /api/v1/{ident()}/{R.randint(1,99999)}?page={R.randint(1,50)} HTTP/1.1" {R.choice([200,200,200,404,500])} {R.randint(100,90000)} "-" "Mozilla/5.0 (X11; Linux x86_64)"{e}'
    if k < 0.65: return f'{ts()} {R.choice(["INFO","DEBUG","WARNING","ERROR"])} [{ident()}] {R.choice(PATHS)}:{R.randint(1,900)} request_id={uuid()} {words(5,18)}{e}'
    if k < 0.9: return J({'ts': ts(), 'level': R.choice(['info', 'warn', 'error']), 'logger': ident(), 'trace_id': r(HEX, 32), 'span_id': r(HEX, 16), 'msg': words(4, 20) + e, 'dur_ms': R.randint(1, 9000)})
    return f'  File "/usr/lib/python3.13/site-packages/{ident()}/{ident()}.py", line {R.randint(1,2000)}, in {ident()}{e}'
truth, out, n, target = [], [], 0, int(A.mb * 1e6)
kinds = list(K); tb = lb = 0; ki = 0
with open(A.prefix + '.txt', 'w', encoding='utf-8', newline='\n') as f:
    i = 0
    while n < target:
        is_t = tb <= (tb + lb) * A.transcripts
        if R.random() < A.rate:
            kind = kinds[ki % len(kinds)]; ki += 1
            mk, carriers = K[kind]; s = mk(); carrier = R.choice(carriers).format(s=s)
            x = R.random(); enc = 'plain'
            if kind != 'private-key':
                enc = 'plain' if x < .75 else 'json_in_json' if x < .85 else 'base64' if x < .90 else 'url' if x < .95 else 'unicode_escape' if x < .98 else 'wrapped'
            if enc in ('unicode_escape', 'wrapped', 'json_in_json'): is_t = True
            if kind == 'private-key' and not is_t: is_t = True
            needle = s
            if enc == 'plain': line = tline(carrier) if is_t else lline(carrier)
            elif enc == 'json_in_json':
                inner = json.dumps({'env': {'V': carrier}}); line = tline(None, "curl -d '" + inner + "' http://localhost")
            elif enc == 'base64':
                needle = base64.b64encode(carrier.encode()).decode(); c = 'data ' + needle; line = tline(c) if is_t else lline(c)
            elif enc == 'url':
                needle = urllib.parse.quote(carrier, safe=''); c = 'q=' + needle; line = tline(c) if is_t else lline(c)
            elif enc == 'unicode_escape':
                esc = ''.join('\\u%04x' % ord(ch) if j % 3 == 0 else ch for j, ch in enumerate(s)); line = tline(carrier)
                js = json.dumps(s)[1:-1]
                if js not in line: continue
                line = line.replace(js, esc, 1); needle = esc
            else:
                h = len(s) // 2; line = tline(carrier.replace(s, s[:h] + '\n' + s[h:])); needle = s[:h]
            if enc == 'plain' and needle not in line: needle = json.dumps(s)[1:-1]
            if needle not in line: continue
            truth.append(dict(line=i, kind=kind, enc=enc, secret=s, needle=needle))
        else:
            line = tline() if is_t else lline()
        f.write(line + '\n'); b = len(line.encode()) + 1; n += b; i += 1
        if is_t: tb += b
        else: lb += b
with open(A.prefix + '.truth.jsonl', 'w') as f:
    for t in truth: f.write(json.dumps(t) + '\n')
json.dump(dict(bytes=n, lines=i, planted=len(truth), transcript_bytes=tb, log_bytes=lb, seed=A.seed, rate=A.rate), open(A.prefix + '.meta.json', 'w'))
print(open(A.prefix + '.meta.json').read())
