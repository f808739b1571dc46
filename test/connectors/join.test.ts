// Which role somebody gets who comes by an organization's connection: the first of its rules that a told value meets.
import test from 'ava'
import { membershipSchema } from '../../src/connectors/connection.ts'
import { roleOf } from '../../src/connectors/join.ts'

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
