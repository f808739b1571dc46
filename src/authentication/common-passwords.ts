// Passwords of twelve and more characters that are tried first, as lists of leaked ones show.

/** In small letters. */
export const commonPasswords: ReadonlySet<string> = new Set(
  `password1234 password12345 password123456 password1234567 password12345678 passwordpassword password123! password2024 password2025 password2026
  passw0rd1234 p@ssw0rd1234 p@ssword1234 p@ssw0rd12345 mypassword123 newpassword123 yourpassword changeme1234 changeme12345 changemeplease letmein12345 letmein123456
  welcome12345 welcome123456 welcome1234! welcome12345! welcometohell qwertyuiop12 qwertyuiop123 qwertyuiop1234 qwerty123456 qwerty1234567 qwerty12345678
  qwerty123456789 qwertyqwerty qwerty123qwerty 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1qaz2wsx3edc 1qaz2wsx3edc4rfv qazwsxedcrfv qazwsx123456 zaq12wsxcde3 zaq1zaq1zaq1 q1w2e3r4t5y6
  iloveyou1234 iloveyou12345 iloveyou123456 iloveyouforever iloveyousomuch iloveyoubaby iloveyou2much admin1234567 admin12345678 administrator administrator1 administrator123 adminadminadmin
  adminadmin123 rootrootroot superman1234 superadmin123 batman123456 football1234 football12345 baseball1234 basketball12 basketball23 liverpoolfc1 manchesterunited
  princess1234 princess12345 sunshine1234 sunshine12345 dragon123456 monkey123456 monkey1234567 michael12345 jennifer1234 charlie12345 jordan123456 computer1234
  internet1234 whatever1234 trustno1trustno1 starwars1234 starwars12345 pokemon12345 minecraft123 minecraft1234 fuckyou12345 fuckyou123456 blink182blink182 mustang12345
  abc123abc123 abcd12345678 abc123456789 abcdefg12345 abcdefgh1234 a1b2c3d4e5f6 a123456789012 aa1234567890 qwe123qwe123 asd123asd123 zxcvbnm12345 zxcvbnm123456 asdfghjkl123
  asdfghjkl1234 asdfasdfasdf asdfghjklqwertyuiop secret123456 supersecret1 supersecret123 testtesttest test12345678 test123456789 testing12345 guestguest12 temp12345678 default12345
  summer202400 summer2024!! winter2024!! spring2025!! correcthorsebatterystaple christmas123 alexander123 elizabeth123 chocolate123 butterfly123
  123qweasdzxc 123qwe123qwe 123456qwerty 12345qwertyuiop 1234567890qwerty 1234567890qwertyuiop 123abc123abc 123321123321 112233445566 121212121212 102030405060 147258369147 147258369000
  159753159753 987654321000 001122334455`.split(/\s+/),
)
