// The canonical form of XML: what is signed is written in it.
import test from 'ava'
import { canonicalize } from '../../src/connectors/saml-canonical.ts'
import { childrenOf, readXml } from '../../src/connectors/saml-xml.ts'

const rows: Readonly<Record<string, readonly [xml: string, canonical: string, inclusive?: readonly string[]]>> = {
  'an element that is empty has two tags': ['<a/>', '<a></a>'],
  'attributes stand by namespace and then by name': [
    '<a xmlns:z="urn:a" xmlns:y="urn:b" y:a="1" z:b="2" z:a="3" b="4" a="5"/>',
    '<a xmlns:y="urn:b" xmlns:z="urn:a" a="5" b="4" z:a="3" z:b="2" y:a="1"></a>',
  ],
  'a namespace stands where a name first uses it': [
    '<a xmlns:n="urn:n" xmlns:unused="urn:u"><n:b><n:c/></n:b><n:b/></a>',
    '<a><n:b xmlns:n="urn:n"><n:c></n:c></n:b><n:b xmlns:n="urn:n"></n:b></a>',
  ],
  'a prefix that is kept stands where it holds': ['<a xmlns:n="urn:n"><n:b/></a>', '<a xmlns:n="urn:n"><n:b></n:b></a>', ['n']],
  'a prefix that is kept and bound anew stands there again': [
    '<a xmlns:n="urn:n"><b xmlns:n="urn:m"/></a>',
    '<a xmlns:n="urn:n"><b xmlns:n="urn:m"></b></a>',
    ['n'],
  ],
  'a default namespace is taken off where it ends': ['<a xmlns="urn:a"><b xmlns=""><c/></b></a>', '<a xmlns="urn:a"><b xmlns=""><c></c></b></a>'],
  'a default namespace that is kept': ['<n:a xmlns:n="urn:n" xmlns="urn:a"/>', '<n:a xmlns="urn:a" xmlns:n="urn:n"></n:a>', ['']],
  'text keeps its place and its white space': ['<a> x <b/>\r\n\ty</a>', '<a> x <b></b>\n\ty</a>'],
  'what text has to escape': ['<a>&amp;&lt;&gt;&quot;&apos;&#13;&#9;</a>', '<a>&amp;&lt;&gt;"\'&#xD;\t</a>'],
  'what a value has to escape': [`<a b='&amp;&lt;&gt;&quot;&apos;&#13;&#10;&#9;\t'/>`, '<a b="&amp;&lt;>&quot;\'&#xD;&#xA;&#x9; "></a>'],
  'an attribute of XML needs no declaration': ['<a xml:lang="en"/>', '<a xml:lang="en"></a>'],
}
for (const [name, [xml, canonical, inclusive = []]] of Object.entries(rows)) {
  test(`canonical XML: ${name}`, t => {
    t.is(canonicalize(readXml(xml), { inclusive }), canonical)
    t.is(canonicalize(readXml(canonical), { inclusive }), canonical)
  })
}

test('canonical XML of an element declares what was declared around it', t => {
  const [inner] = childrenOf(readXml('<a xmlns="urn:a" xmlns:n="urn:n"><b n:c="d"/></a>'), 'urn:a', 'b')
  t.truthy(inner)
  if (inner) t.is(canonicalize(inner, { inclusive: [] }), '<b xmlns="urn:a" xmlns:n="urn:n" n:c="d"></b>')
})

test('canonical XML leaves out the signature, and the text behind it stays', t => {
  const root = readXml('<a><s/> x<s/></a>')
  t.is(canonicalize(root, { inclusive: [], without: root.children[0] }), '<a> x<s></s></a>')
})
