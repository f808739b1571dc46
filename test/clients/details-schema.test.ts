// The schemas of authorization details, and what they let through.
import test from 'ava'
import { detailsFault, detailsSchema } from '../../src/clients/details-schema.ts'

const schema = detailsSchema.parse({
  type: 'object',
  properties: {
    actions: { type: 'array', items: { type: 'string', enum: ['read', 'pay'] }, minItems: 1 },
    amount: { type: 'object', properties: { value: { type: 'number', minimum: 0 }, currency: { type: 'string', maxLength: 3 } }, required: ['value'] },
    count: { type: 'integer' },
    now: { type: 'boolean' },
  },
  required: ['actions'],
})

test('what a schema says is let through', t => {
  t.is(detailsFault(schema, { actions: ['read', 'pay'], amount: { value: 1.5, currency: 'EUR' }, count: 3, now: false }), undefined)
})

for (const [why, value] of [
  ['a required field is missing', {}],
  ['a field is unknown', { actions: ['read'], more: 1 }],
  ['a nested field is unknown', { actions: ['read'], amount: { value: 1, more: 1 } }],
  ['a field has the name of what all objects have', JSON.parse('{"actions":["read"],"constructor":{},"__proto__":{}}')],
  ['a member is none of those offered', { actions: ['delete'] }],
  ['a list is too short', { actions: [] }],
  ['a number is too small', { actions: ['read'], amount: { value: -1 } }],
  ['a number is no integer', { actions: ['read'], count: 1.5 }],
  ['a number is text', { actions: ['read'], count: '1' }],
  ['text is too long', { actions: ['read'], amount: { value: 1, currency: 'EURO' } }],
  ['text turns what stands around it', { actions: ['read'], amount: { value: 1, currency: '\u202e' } }],
  ['a truth is text', { actions: ['read'], now: 'true' }],
  ['an object is a list', { actions: ['read'], amount: [] }],
  ['an object is null', { actions: ['read'], amount: null }],
] as const)
  test(`it is refused that ${why}`, t => {
    t.is(typeof detailsFault(schema, value), 'string')
  })

for (const [why, given] of [
  ['no object', { type: 'array', items: { type: 'string' } }],
  ['of words we do not know', { type: 'object', properties: {}, additionalProperties: true }],
  ['with a reference', { type: 'object', properties: { a: { $ref: '#' } } }],
  ['requiring what is not there', { type: 'object', properties: {}, required: ['a'] }],
  ['with a name that all objects have', { type: 'object', properties: { constructor: { type: 'string' } } }],
  ['too deep', [1, 2, 3, 4, 5].reduce<object>(inner => ({ type: 'object', properties: { a: inner } }), { type: 'object', properties: {} })],
] as const)
  test(`a schema that is ${why} is none`, t => {
    t.false(detailsSchema.safeParse(given).success)
  })
