using System.Collections.Frozen;

namespace Tollgate.Server.Identity.Password;

/// <summary>
/// Passwords that are guessed first. The list is our own, written by hand: words that people take, in small letters, and walks over the
/// keyboard. The rule makes many of each: a word is refused in any case, with signs for letters as in <c>p@ssw0rd</c>, twice in a row, and
/// with digits and signs before and after it, as years, dates and exclamation marks are.
/// </summary>
internal static class CommonPasswords
{
    /// <summary>More digits and signs than a date around a word are no habit, but a choice.</summary>
    private const int AroundMax = 8;

    private const string Words =
        """
        password passwort passphrase passcode pass passwd pwd mypassword mypass thepassword newpassword oldpassword nopassword secret
        topsecret mysecret private letmein letmeinnow openup opensesame sesame open enter access accessdenied login logon signin welcome
        welcomeback hello helloworld hellothere hi hey goodbye admin administrator adminadmin root superuser sysadmin user username guest
        test tester testing testtest demo sample example default changeme changeit change please trustno trustnoone whatever nothing
        something anything everything nobody somebody anyone unknown blank temp temporary temppass computer laptop internet network server
        system service security secure office company business work manager master mastermind boss customer account support backup
        database website wireless router modem printer iphone android google apple microsoft windows linux ubuntu facebook instagram
        twitter youtube netflix amazon samsung nokia sony nintendo playstation xbox pokemon minecraft fortnite starwars startrek
        matrix batman superman spiderman ironman hulk joker avatar gandalf frodo hobbit merlin wizard magic dragon dragons phoenix
        unicorn angel angels devil demon ghost zombie vampire ninja samurai pirate knight warrior hunter killer soldier sniper ranger
        shadow thunder lightning storm rainbow sunshine sunset moonlight starlight midnight summer winter spring autumn fall january
        february march april june july august september october november december monday tuesday wednesday thursday friday saturday
        sunday weekend holiday vacation christmas easter halloween birthday party music guitar piano drummer singer dancer rock metal
        love lover loveme lovely loveyou iloveyou iloveu ilovegod ilovemylife mylove truelove forever always together sweetheart
        sweety sweetie honey baby babygirl babyboy princess prince queen king kingdom beautiful pretty handsome sexy kisses hugs
        family mother father mom mommy dad daddy sister brother friend friends bestfriend children grandma grandpa jesus jesuschrist
        christ god godisgood blessed heaven faith hope peace freedom liberty destiny happy happiness lucky smile smiley cheese
        football soccer baseball basketball hockey tennis golf cricket rugby volleyball swimming running cycling boxing wrestling
        liverpool arsenal chelsea barcelona realmadrid juventus bayern manchester united yankees lakers cowboys steelers eagles
        tiger tigers lion lions bear bears wolf wolves eagle falcon hawk panther leopard cheetah monkey gorilla elephant dolphin shark
        turtle snake spider butterfly flower flowers rose roses lily daisy orchid sunflower forest mountain ocean river island beach
        cat cats kitty kitten dog dogs doggy puppy horse horses pony rabbit bunny chicken duck turkey pig cow buddy rocky max lucky
        bella charlie daisy coco simba tigger snoopy garfield mickey minnie donald goofy snowball cookie cookies chocolate candy sugar
        banana bananas orange lemon cherry strawberry peach mango pineapple pepper ginger cinnamon vanilla pizza burger coffee tea
        beer whisky vodka wine water fire earth wind silver gold golden diamond crystal emerald ruby pearl purple yellow green blue
        black white red pink orange brown america american canada england london paris berlin madrid rome moscow tokyo newyork texas
        california florida chicago boston dallas denver phoenix france germany italy spain russia china japan india brazil mexico
        mercedes porsche ferrari lamborghini mustang corvette camaro toyota honda nissan yamaha harley suzuki volkswagen
        michael matthew daniel david andrew james john robert william richard thomas joseph anthony steven kevin brian george edward
        alexander alexandra nicholas nicole michelle jennifer jessica ashley amanda sarah elizabeth maria anna laura sandra andrea
        patricia barbara charlotte sophie olivia emily emma julia martin peter patrick oliver oscar harry jordan justin brandon
        money dollar million millionaire rich bank credit winner champion legend hero player gamer game games online forever young
        abc abcd abcde abcdef abcdefg abcdefgh abcabc aabbcc xyz xxx asd asdasd asdf asdfasdf asdfg asdfgh asdfghj asdfghjk asdfghjkl
        qwe qweqwe qwer qwert qwerty qwertyu qwertyui qwertyuiop qwertz qwertzuiop azerty azertyuiop qweasd qweasdzxc zxc zxcv zxcvb
        zxcvbn zxcvbnm poiuytrewq lkjhgfdsa mnbvcxz ytrewq
        """;

    /// <summary>Walks and rows with digits inside, which stand for themselves.</summary>
    private const string Walks =
        """
        1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4 q1w2e3r4t5 1qaz2wsx 1qaz2wsx3edc 2wsx3edc qaz1wsx2 qazwsxedc qazwsx123 zaq12wsx zaq1xsw2
        zaq1zaq1 1qazxsw2 3edc4rfv 1a2b3c4d 1a2s3d4f a1b2c3d4 a1s2d3f4 a1b2c3d4e5 abcd1234 abc12345 aaaa1111 qwer1234 asdf1234 zxcv1234
        1234qwer 12345qwert 123qweasd 123qwe123 qwe123qwe 123abc123 abc123abc 12341234 11223344 1122334455 112233445566 12121212
        123123123 123321123 12344321 1234554321 123454321 11112222 44332211 55443322 10203040 1020304050 14725836 147258369 159357456
        15935700 74108520 741852963 789456123 78945612 87654321 98765432 9876543210 0987654321 1234567890 12345678910 01234567 00112233
        13579246 1357924680 24681357 2468101214 31415926 314159265 27182818 69696969 11235813 20202020 10101010 12369874 trustno1
        """;

    /// <summary>For a sign the letter that it stands for.</summary>
    private const string Signs = "@a4a3e1i!i0o$s5s7t";

    private static readonly FrozenSet<string> Known =
        $"{Words} {Walks}".Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.Ordinal);

    public static bool Has(string password)
    {
        var small = password.ToLowerInvariant();
        var word = small.Trim([.. "0123456789!?.,;:-_+*#$%&@()[]{}=/ "]);
        return IsOne(small) || (small.Length - word.Length <= AroundMax && IsOne(word));
    }

    private static bool IsOne(string text) =>
        Known.Contains(text) || Known.Contains(Letters(text))
        || (text.Length > 1 && text[..(text.Length / 2)] == text[(text.Length / 2)..] && Known.Contains(text[..(text.Length / 2)]));

    private static string Letters(string text) => string.Concat(text.Select(
        one => Signs.IndexOf(one, StringComparison.Ordinal) is var at and >= 0 && at % 2 == 0 ? Signs[at + 1] : one));
}
