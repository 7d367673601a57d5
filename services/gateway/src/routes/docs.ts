import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { openApiDocument } from '@zeq/contracts';
import { MESH_VERSION, ProblemError } from '@zeq/service-kit';
import type { RequestHandler } from 'express';
import type { LocalRoutes } from '../control/control-plane.ts';

/** Everything comes from here: no script of anybody else, none inside the page. Swagger UI draws its icons as data: images. */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Zeq mesh API</title>
<link rel="stylesheet" href="/api-docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/api-docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/api-docs/swagger-ui-bundle.js"></script>
<script src="/api-docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: '/api-docs/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });\n`;

/** The files of swagger-ui-dist that the page needs, and no others. */
const ASSETS = new Set(['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']);

/** `/api-docs`: Swagger UI, served from here, over the document made from the table of routes. */
export function docsRoutes(): LocalRoutes {
  const files = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const document = JSON.stringify(openApiDocument({ version: MESH_VERSION }));
  const page: RequestHandler = function showDocs(_req, res) {
    res.set('Content-Security-Policy', CSP).type('html').send(PAGE);
  };
  const json: RequestHandler = function showDocument(_req, res) {
    res.type('json').send(document);
  };
  const asset: RequestHandler = function sendAsset(req, res) {
    const name = String(req.params.asset);
    if (name === 'start.js') return void res.type('js').send(START);
    if (!ASSETS.has(name)) throw new ProblemError('not_found', 'There is no such file.');
    res.sendFile(name, { root: files, cacheControl: false, etag: false, lastModified: false });
  };
  return { 'GET /api-docs': page, 'GET /api-docs/openapi.json': json, 'GET /api-docs/:asset': asset };
}
