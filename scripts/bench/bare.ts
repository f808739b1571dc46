// The floor: a Koa that reads what is sent and answers a few bytes, so that nothing of the protocol costs anything.
import Koa from 'koa'
import { koaBody } from 'koa-body'

const port = Number(process.env.PORT)
const issuer = process.env.ISSUER ?? `http://127.0.0.1:${port}`
const at = (path: string) => new URL(path, issuer).href

const metadata = {
  issuer,
  jwks_uri: at('/jwks'),
  authorization_endpoint: at('/authorize'),
  token_endpoint: at('/token'),
  userinfo_endpoint: at('/userinfo'),
  introspection_endpoint: at('/introspect'),
  end_session_endpoint: at('/logout'),
}

const app = new Koa()
app.use(koaBody({ multipart: false }))
app.use(ctx => {
  ctx.body = ctx.method === 'GET' ? metadata : { active: true, access_token: 'a'.repeat(43), token_type: 'Bearer', expires_in: 600 }
})
app.listen(port, '127.0.0.1')
