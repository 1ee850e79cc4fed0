/** Heads the lists of leaked passwords, 8 characters or more; shorter ones are refused anyway. Compared in lower case. */
export const commonPasswords: ReadonlySet<string> = new Set(
  `12345678 123456789 1234567890 12345678910 0123456789 87654321 987654321 0987654321 11111111 111111111 00000000
  88888888 66666666 99999999 12341234 11223344 12121212 123123123 147258369 741852963 789456123 123654789 321654987
  password password1 password12 password123 password1234 password! passw0rd p@ssword p@ssw0rd p@ssw0rd1 pa55word
  passwort passwort1 mypassword yourpassword changeme changeme1 changeme123 letmein1 letmein123 welcome1 welcome12
  welcome123 admin123 admin1234 administrator adminadmin root1234 rootroot test1234 testtest test12345 guest123
  qwertyui qwertyuiop qwerty12 qwerty123 qwerty1234 qwerty12345 qwer1234 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 1qazxsw2
  zaq12wsx q1w2e3r4 q1w2e3r4t5 asdfghjk asdfghjkl asdf1234 zxcvbnm1 zxcvbnm123 qazwsxedc 1234qwer abcd1234 abc12345
  a1234567 a12345678 aa123456 aa12345678 abcdefgh abcdefg1 abcdefg123 iloveyou iloveyou1 iloveyou2 sunshine sunshine1
  princess princess1 football football1 baseball basketball superman superman1 batman123 starwars pokemon1 pokemon123
  michael1 jennifer charlie1 jordan23 computer computer1 internet internet1 whatever whatever1 trustno1 master123
  dragon123 monkey123 shadow123 freedom1 samsung1 google123 facebook facebook1 liverpool chelsea1 arsenal1 mustang1
  secret123 topsecret default1 default123 user1234 hello123 hellohello helloworld 5201314a woaini1314 woaini520
  woaini123 li123456 wang123456 zhang123 qq123456 qq123456789 a123456789 z123456789 123456aa 123456abc 123456789a
  12345678a 123qweasd 123qwe123 qweasdzxc asd123456 zxc123456 h-video hvideo123 hvideo1234`
    .split(/\s+/)
    .filter((word) => word.length >= 8),
);
