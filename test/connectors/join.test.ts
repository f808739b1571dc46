// Which role somebody gets who comes by an organization's connection: the first of its rules that a told value meets.
import test from 'ava'
import { membershipSchema } from '../../src/connectors/connection.ts'
import { roleOf } from '../../src/connectors/join.ts'
import { claimsOf } from '../../src/connectors/told-claims.ts'

const rule = membershipSchema.parse({
  claim: 'groups',
  roles: [
    { value: 'staff', role: 'member' },
    { value: '20', role: 'admin' },
    { value: '3', role: 'owner' },
  ],
})

test('the first rule counts, also among values that look like numbers', t => {
  t.is(roleOf(rule, { groups: ['3', '20'] }), 'admin')
  t.is(roleOf(rule, { groups: ['3', '20', 'staff'] }), 'member')
  t.is(roleOf(rule, { groups: '3' }), 'owner')
})

test('a number meets the text that is written like it, and nothing else meets any', t => {
  t.is(roleOf(rule, { groups: 3 }), 'owner')
  t.is(roleOf(rule, { groups: [20, 'x'] }), 'admin')
  for (const groups of [undefined, null, '', '03', 3.5, [['20']], { 20: true }, [{ value: '20' }], true])
    t.is(roleOf(rule, { groups }), 'member', JSON.stringify(groups))
  t.is(roleOf(membershipSchema.parse({ claim: 'admin', default: 'guest', roles: [{ value: 'true', role: 'owner' }] }), { admin: true }), 'guest')
  t.is(roleOf(membershipSchema.parse({ claim: 'constructor', roles: [{ value: 'x', role: 'owner' }] }), {}), 'member')
})

test('what a role goes by is read as it was told, however much there is and whatever it looks like', t => {
  const of = (groups: unknown, claim = 'groups') => {
    const { claims, told = {} } = claimsOf({ [claim]: groups })
    const role = roleOf(membershipSchema.parse({ claim, default: 'member', roles: [{ value: 'admins', role: 'admin' }] }), told)
    return { role, isKept: claim in claims }
  }
  const many = Array.from({ length: 600 }, () => crypto.randomUUID())
  t.deepEqual(of([...many, 'admins']), { role: 'admin', isKept: false })
  t.deepEqual(of(['admins', 'eyJa.b.c']), { role: 'admin', isKept: false })
  t.deepEqual(of('admins', 'token_role'), { role: 'admin', isKept: false })
  t.deepEqual(of(['admins']), { role: 'admin', isKept: true })
})

test('no role is given where the provider says that the groups are elsewhere', t => {
  const link = 'http://schemas.microsoft.com/claims/groups.link'
  const elsewhere = { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://graph.example' } } }
  t.is(roleOf(rule, elsewhere), undefined)
  t.is(roleOf(rule, { groups: [], [link]: 'https://graph.example' }), undefined)
  t.is(roleOf(rule, { ...elsewhere, groups: ['20'] }), 'admin')
  t.is(roleOf(rule, { _claim_names: { address: 'src1' } }), 'member')
  t.is(roleOf(membershipSchema.parse({}), elsewhere), 'member')
})
